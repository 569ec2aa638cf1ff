// The screen.

#include "widecurses.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "CTerminal.h"
#include "keyboard.h"
#include "signals.h"

static SCREEN *screen;
static FILE *input, *output;
static bool hides_cursor, reports_mouse;

// A locale that is not installed is a wish that can be granted nevertheless if it is for UTF-8,
// which is all that is used of it.
static void set_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	if (setlocale(LC_CTYPE, ""))
		return;
	for (int i = 0; i < 3; i++) {
		const char *name = getenv(names[i]);

		if (!name || !*name)
			continue;
		if (strcasestr(name, "UTF-8") || strcasestr(name, "UTF8"))
			setlocale(LC_CTYPE, "C.UTF-8");
		return;
	}
}

const char *ct_codeset(void)
{
	set_locale();
	return nl_langinfo(CODESET);
}

int ct_colours_of(const char *type)
{
	TERMINAL *before = cur_term;
	int error, colours = 0;

	if (setupterm(type, STDOUT_FILENO, &error) == OK) {
		colours = tigetnum("colors");
		del_curterm(set_curterm(before));
	}
	return colours < 0 ? 0 : colours;
}

// Presses and the wheel, in digits where the terminal knows how.
#define MOUSE_ON "\033[?1000;1006h"
#define MOUSE_OFF "\033[?1006;1000l"

static bool knows_mouse(void)
{
	const char *prefix = tigetstr("kmous");

	return prefix && prefix != (char *)-1;
}

// Sends a sequence that ncurses does not know. What ncurses had to send has been sent: ct_show
// leaves nothing behind.
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
// off, attributes and colours plain, the whole screen scrolls, the cursor at its end and visible,
// and the alternate screen left.
static void prepare_reset(void)
{
	const char *region = tigetstr("csr");
	const char *move = tigetstr("cup");

	reset_length = 0;
	append_capability(tigetstr("rmkx"));
	if (knows_mouse())
		append_capability(MOUSE_OFF);
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

// Interrupt and quit characters stay signals: they end a program that computes, too. So does
// suspend. No other character is kept from the keyboard.
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

static void adopt_size(void)
{
	struct winsize size;

	// A terminal that does not know its size has the one that ncurses found elsewhere.
	if (ioctl(fileno(output), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
		resize_term(size.ws_row, size.ws_col);
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
	if (reports_mouse)
		send(MOUSE_ON);
}

// Gives the terminal back.
static void leave(void)
{
	if (reports_mouse)
		send(MOUSE_OFF);
	endwin();
}

static enum ct_status open_screen(const char *type)
{
	set_locale();
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
	// Lines that move as a whole are moved by the terminal.
	idlok(stdscr, TRUE);
	hides_cursor = curs_set(0) != ERR;
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

void ct_set_pair(uint16_t pair, int foreground, int background)
{
	init_extended_pair(pair, foreground, background);
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

void ct_erase(void)
{
	werase(stdscr);
}

static attr_t attributes_of(unsigned set)
{
	return (set & CT_BOLD ? A_BOLD : 0) | (set & CT_DIM ? A_DIM : 0) |
	       (set & CT_ITALIC ? A_ITALIC : 0) | (set & CT_UNDERLINE ? A_UNDERLINE : 0) |
	       (set & CT_REVERSE ? A_REVERSE : 0);
}

void ct_put(int x, int y, const struct ct_cell *cells, int count)
{
	cchar_t run[count + 1];
	int length = 0;

	for (int i = 0; i < count; i++) {
		int wide = i + 1 < count && cells[i + 1].scalar == 0;
		wchar_t text[2] = {cells[i].scalar, 0};
		int pair = cells[i].pair;

		if (cells[i].scalar == 0)
			continue;
		// What the C library gives another width would shift the rest of the line.
		if (wcwidth(text[0]) != 1 + wide)
			text[0] = '?';
		setcchar(&run[length++], text, attributes_of(cells[i].attributes), 0, &pair);
		if (wide && text[0] == '?')
			run[length] = run[length - 1], length++;
	}
	mvadd_wchnstr(y, x, run, length);
}

void ct_show(int x, int y)
{
	int hidden = x < 0;

	// A cursor that cannot be seen need not go anywhere.
	leaveok(stdscr, hidden && hides_cursor);
	wmove(stdscr, hidden ? LINES - 1 : y, hidden ? COLS - 1 : x);
	if (hidden)
		curs_set(0);
	wnoutrefresh(stdscr);
	doupdate();
	if (!hidden)
		curs_set(1);
}

void ct_repaint(void)
{
	clearok(curscr, TRUE);
}

bool ct_mouse(bool on)
{
	if (!knows_mouse())
		return false;
	send(on ? MOUSE_ON : MOUSE_OFF);
	reports_mouse = on;
	return true;
}

struct ct_cell ct_shown(int x, int y)
{
	struct ct_cell cell = {.scalar = 0};
	wchar_t text[CCHARW_MAX + 1] = {0};
	attr_t attributes;
	short narrow;
	int pair;
	cchar_t shown;

	if (mvwin_wch(curscr, y, x, &shown) == ERR)
		return cell;
	getcchar(&shown, text, &attributes, &narrow, &pair);
	cell.scalar = text[0];
	cell.pair = pair;
	for (int bit = CT_BOLD; bit <= CT_REVERSE; bit <<= 1)
		if (attributes & attributes_of(bit))
			cell.attributes |= bit;
	return cell;
}

void ct_stop(void)
{
	signals_hold();
	leave();
	signals_set_armed(0);
	signals_stop();
	enter();
	signals_release();
}

void ct_continue(void)
{
	signals_hold();
	leave();
	enter();
	signals_release();
}
