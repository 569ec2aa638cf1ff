// The screen and the keyboard, for Swift: the wide-character half of ncurses without its types,
// macros and global variables, and the signals that concern a terminal.
//
// There is one screen a process, and all functions are called on the thread that opened it.
#ifndef CTERMINAL_H
#define CTERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Why the screen could not be opened.
enum ct_status {
	CT_OK,
	CT_IN_USE,
	CT_NOT_A_TERMINAL,
	CT_IN_BACKGROUND,
	CT_UNSUPPORTED,
};

enum ct_attribute {
	CT_BOLD = 1 << 0,
	CT_DIM = 1 << 1,
	CT_ITALIC = 1 << 2,
	CT_UNDERLINE = 1 << 3,
	CT_REVERSE = 1 << 4,
};

// One cell: a Unicode scalar, 0 for the right half of the wide one before it.
struct ct_cell {
	uint32_t scalar;
	uint16_t pair;
	uint16_t attributes;
};

enum ct_key {
	CT_UP,
	CT_DOWN,
	CT_RIGHT,
	CT_LEFT,
	CT_HOME,
	CT_END,
	CT_INSERT,
	CT_DELETE,
	CT_PAGE_UP,
	CT_PAGE_DOWN,
	CT_TAB,
	CT_ENTER,
	CT_ESCAPE,
	CT_BACKSPACE,
	CT_F1,
	CT_F12 = CT_F1 + 11,
	CT_KEYS,
};

enum ct_modifier {
	CT_SHIFT = 1 << 0,
	CT_ALT = 1 << 1,
	CT_CONTROL = 1 << 2,
};

enum ct_button {
	CT_LEFT_BUTTON,
	CT_WHEEL_UP,
	CT_WHEEL_DOWN,
};

struct ct_input {
	enum ct_input_kind {
		CT_NOTHING,
		CT_CHARACTER, // code is a Unicode scalar
		CT_KEY,       // code is an enum ct_key
		CT_MOUSE,     // code is an enum ct_button, at x and y
		CT_PASTE_START, // what follows up to the end is a text that was pasted
		CT_PASTE_END,
		CT_UNKNOWN, // something that has no name here
	} kind;
	uint32_t code;
	uint32_t modifiers;
	int x;
	int y;
};

enum ct_wait {
	CT_READY,
	CT_TIMEOUT,
	CT_SIGNALLED, // ct_take_signals knows which
	CT_LOST,      // the terminal has hung up
};

enum ct_signal {
	CT_RESIZED = 1 << 0,
	CT_STOP = 1 << 1,
	CT_CONTINUED = 1 << 2,
};

// The name of the character encoding in use. Sets the locale for characters.
const char *ct_codeset(void);

// The number of colours of a terminal type; 0 if it has none or is not known.
int ct_colours_of(const char *type);

// The name and version of the curses library.
const char *ct_library(void);

// Sets the note that a fault of the program leaves behind from now on, after it has given the terminal
// back: in a file, which a line on the standard error names; without a file, on the standard error.
void ct_set_fault_note(const char *text);

// The file, by its path. Of its folders, those from the length `existing` of the path on are made if
// they are missing.
void ct_set_fault_file(const char *path, size_t existing);

// Opens the screen on a terminal. The descriptors are duplicated. Waits, stopped, until the process
// is in the foreground.
enum ct_status ct_open(const char *type, int input, int output);

// Restores the terminal. Without an open screen, does nothing.
void ct_close(void);

// The number of colours of the open screen.
int ct_colours(void);

// Makes a pair, from 1, of palette colours, -1 for the terminal's own.
void ct_set_pair(uint16_t pair, int foreground, int background);

// The size of the screen, in cells.
void ct_size(int *width, int *height);

// Gives the screen the size that the terminal has now. It is blank then, and repainted by the next
// ct_show.
void ct_resize(void);

// Blanks all cells.
void ct_erase(void);

// Puts cells from column x of row y to the right.
void ct_put(int x, int y, const struct ct_cell *cells, int count);

// Shows on the terminal what was put, with the cursor at x and y, or hidden if x is negative.
void ct_show(int x, int y);

// Makes the next ct_show repaint everything.
void ct_repaint(void);

// The cell that the terminal is believed to show.
struct ct_cell ct_shown(int x, int y);

// Makes the terminal report the mouse, or not. Returns whether it can.
bool ct_mouse(bool on);

// Sets whether the interrupt character, Ctrl-C, ends the process as usual, or is a character like others.
void ct_interrupt_key(bool is_signal);

// Takes one input that has arrived. Waits only for the rest of one that has begun.
struct ct_input ct_read(void);

// Waits for input, a signal, or so many milliseconds; for ever if negative.
enum ct_wait ct_wait(int milliseconds);

// The signals since the last call, as a set of enum ct_signal.
unsigned ct_take_signals(void);

// Restores the terminal and stops the process, as Ctrl-Z does without a program in its way.
// Returns when it is continued; the next ct_show takes the screen back.
void ct_stop(void);

// To be called when the process has been continued: the next ct_show takes the screen back.
void ct_continue(void);

#endif
