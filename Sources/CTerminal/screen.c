// Opening, resizing and closing the screen.

#include "widecurses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "CTerminal.h"
#include "keyboard.h"
#include "signals.h"

static SCREEN *screen;
static FILE *input, *output;
static bool reports_mouse;

// More cells than any screen has. ncurses counts columns and rows in a short, and a terminal may say
// anything.
enum { COLUMNS_AT_MOST = 2048, ROWS_AT_MOST = 1024 };

static int at_most(int value, int most)
{
	return value < most ? value : most;
}

// Reports presses and the wheel, in decimal digits if the terminal can.
#define MOUSE_ON "\033[?1000;1006h"
#define MOUSE_OFF "\033[?1006;1000l"

// Pasted text comes between marks, so that it is not taken for keys. A terminal that reports a mouse
// knows this sequence, or ignores it.
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

static bool knows_mouse(void)
{
	const char *prefix = tigetstr("kmous");

	return prefix && prefix != (char *)-1;
}

// Sends a sequence that ncurses does not know. ncurses has nothing left to send: ct_show flushes.
static void send(const char *sequence)
{
	while (write(fileno(output), sequence, strlen(sequence)) < 0 && errno == EINTR)
		;
}

// The reset sequence, as tputs hands it over byte by byte.
static char reset[512];
static size_t reset_length;

static int append_to_reset(int byte)
{
	if (reset_length < sizeof reset)
		reset[reset_length++] = byte;
	return byte;
}

static void append_capability(const char *value)
{
	if (value && value != (char *)-1)
		tputs(value, 1, append_to_reset);
}

// What ncurses does at the end, as bytes that a signal handler can write: any keypad and mouse mode
// off, no marks around pasted text, attributes and colours plain, the whole screen scrolling, the cursor
// visible on its last row, and the alternate screen left.
static void prepare_reset(void)
{
	const char *region = tigetstr("csr");
	const char *move = tigetstr("cup");

	reset_length = 0;
	append_capability(tigetstr("rmkx"));
	if (knows_mouse()) {
		append_capability(MOUSE_OFF);
		append_capability(PASTE_OFF);
	}
	append_capability(tigetstr("sgr0"));
	append_capability(tigetstr("op"));
	if (region && region != (char *)-1)
		append_capability(tiparm(region, 0, LINES - 1));
	append_capability(tiparm(move, LINES - 1, 0));
	append_capability(tigetstr("el"));
	append_capability(tigetstr("cnorm"));
	append_capability(tigetstr("rmcup"));
	signals_set_reset(reset, reset_length);
}

// The interrupt, quit and suspend characters stay signals, so that they work while the program computes.
// All other characters reach the keyboard.
static void set_modes(void)
{
	struct termios modes;

	cbreak();
	noecho();
	nonl();
	tcgetattr(fileno(output), &modes);
	modes.c_iflag &= ~(IXON | ICRNL | INLCR | IGNCR);
	modes.c_lflag &= ~IEXTEN;
	tcsetattr(fileno(output), TCSADRAIN, &modes);
	def_prog_mode();
}

static bool is_strange(const char *variable, int most)
{
	const char *value = getenv(variable);

	return value && strtol(value, NULL, 10) > most;
}

// Whether the terminal's size is one that ncurses cannot hold.
static bool has_strange_size(void)
{
	struct winsize size;

	return is_strange("COLUMNS", COLUMNS_AT_MOST) || is_strange("LINES", ROWS_AT_MOST) ||
	       (ioctl(fileno(output), TIOCGWINSZ, &size) == 0 &&
		(size.ws_col > COLUMNS_AT_MOST || size.ws_row > ROWS_AT_MOST));
}

static void adopt_size(void)
{
	struct winsize size;

	// If the terminal does not know its size, the one that ncurses found elsewhere counts.
	if (ioctl(fileno(output), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
		resize_term(at_most(size.ws_row, ROWS_AT_MOST), at_most(size.ws_col, COLUMNS_AT_MOST));
	prepare_reset();
	ct_erase();
	ct_repaint();
}

// Takes the screen, blank.
static void enter(void)
{
	signals_set_armed(1);
	adopt_size();
	ct_show(-1, -1);
	if (knows_mouse())
		send(PASTE_ON);
	if (reports_mouse)
		send(MOUSE_ON);
}

// Gives the terminal back. Without an alternate screen the shell continues in the last row.
static void leave(void)
{
	if (reports_mouse)
		send(MOUSE_OFF);
	if (knows_mouse())
		send(PASTE_OFF);
	wmove(stdscr, LINES - 1, 0);
	wclrtoeol(stdscr);
	ct_show(-1, -1);
	endwin();
}

static enum ct_status open_screen(const char *type)
{
	// ncurses encodes characters by the locale.
	ct_codeset();
	// It takes any size from the environment or the terminal; adopt_size does not.
	use_env(!has_strange_size());
	screen = newterm(type, output, input);
	if (!screen)
		return CT_UNSUPPORTED;
	if (!tigetstr("cup") || !tigetstr("clear")) {
		endwin();
		return CT_UNSUPPORTED;
	}
	set_modes();
	start_color();
	use_default_colors();
	// Let the terminal scroll lines.
	idlok(stdscr, TRUE);
	keyboard_open();
	enter();
	return CT_OK;
}

static void free_screen(void)
{
	keyboard_close();
	if (screen)
		delscreen(screen);
	screen = NULL;
	fclose(input);
	fclose(output);
	signals_remove();
}

enum ct_status ct_open(const char *type, int input_fd, int output_fd)
{
	enum ct_status status;

	if (screen)
		return CT_IN_USE;
	if (!isatty(input_fd) || !isatty(output_fd))
		return CT_NOT_A_TERMINAL;
	input = fdopen(dup(input_fd), "r");
	output = fdopen(dup(output_fd), "w");
	if (!input || !output)
		return CT_NOT_A_TERMINAL;
	signals_install(fileno(input), fileno(output));
	status = CT_IN_BACKGROUND;
	if (signals_await_foreground() == 0) {
		signals_hold();
		signals_save_modes();
		status = open_screen(type);
	}
	if (status == CT_OK)
		signals_release();
	else
		free_screen();
	return status;
}

void ct_close(void)
{
	if (!screen)
		return;
	signals_hold();
	leave();
	reports_mouse = false;
	free_screen();
}

int ct_colours(void)
{
	return has_colors() ? COLORS : 0;
}

void ct_size(int *width, int *height)
{
	*width = COLS;
	*height = LINES;
}

void ct_resize(void)
{
	signals_hold();
	adopt_size();
	signals_release();
}

bool ct_mouse(bool on)
{
	if (!knows_mouse())
		return false;
	send(on ? MOUSE_ON : MOUSE_OFF);
	reports_mouse = on;
	return true;
}

void ct_interrupt_key(bool is_signal)
{
	static cc_t interrupt = _POSIX_VDISABLE;
	struct termios modes;

	signals_hold();
	tcgetattr(fileno(output), &modes);
	if (modes.c_cc[VINTR] != _POSIX_VDISABLE)
		interrupt = modes.c_cc[VINTR];
	modes.c_cc[VINTR] = is_signal ? interrupt : _POSIX_VDISABLE;
	tcsetattr(fileno(output), TCSADRAIN, &modes);
	def_prog_mode();
	signals_release();
}

void ct_stop(void)
{
	signals_hold();
	leave();
	signals_set_armed(0);
	signals_stop();
	signals_await_foreground();
	enter();
	signals_release();
}

void ct_continue(void)
{
	signals_hold();
	signals_await_foreground();
	leave();
	enter();
	signals_release();
}
