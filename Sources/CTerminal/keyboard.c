// The keyboard and the mouse.

#include "widecurses.h"

#include "keyboard.h"

#include <stdio.h>
#include <stdlib.h>

#include "CTerminal.h"

// Input is read through a window that is never shown: reading refreshes the window it reads from.
static WINDOW *keys;

// Sequences that terminfo does not have get codes of our own, above all of ncurses': for a key with
// modifiers, and for the mouse. ncurses could decode the mouse too, but drops events that arrive
// together, as they do over a slow line.
enum { MOUSE_IN_DIGITS = 0x1000, MOUSE_IN_CHARACTERS, PASTE_START, PASTE_END, OWN = 0x2000, MODIFIER_BITS = 3 };

static int own(enum ct_key key, unsigned modifiers)
{
	return OWN + (key << MODIFIER_BITS) + modifiers;
}

// Our code for one of ncurses'.
static const struct {
	int code;
	enum ct_key key;
	unsigned modifiers;
} names[] = {
	{KEY_UP, CT_UP},
	{KEY_DOWN, CT_DOWN},
	{KEY_RIGHT, CT_RIGHT},
	{KEY_LEFT, CT_LEFT},
	{KEY_HOME, CT_HOME},
	{KEY_END, CT_END},
	{KEY_IC, CT_INSERT},
	{KEY_DC, CT_DELETE},
	{KEY_PPAGE, CT_PAGE_UP},
	{KEY_NPAGE, CT_PAGE_DOWN},
	{KEY_ENTER, CT_ENTER},
	{KEY_BACKSPACE, CT_BACKSPACE},
	{KEY_BTAB, CT_TAB, CT_SHIFT},
	{KEY_SR, CT_UP, CT_SHIFT},
	{KEY_SF, CT_DOWN, CT_SHIFT},
	{KEY_SRIGHT, CT_RIGHT, CT_SHIFT},
	{KEY_SLEFT, CT_LEFT, CT_SHIFT},
	{KEY_SHOME, CT_HOME, CT_SHIFT},
	{KEY_SEND, CT_END, CT_SHIFT},
	{KEY_SIC, CT_INSERT, CT_SHIFT},
	{KEY_SDC, CT_DELETE, CT_SHIFT},
	{KEY_SPREVIOUS, CT_PAGE_UP, CT_SHIFT},
	{KEY_SNEXT, CT_PAGE_DOWN, CT_SHIFT},
};

// The sequences that terminals of the xterm family send, under whatever name they run: ESC O final,
// ESC [ final unless it is a function key, and with modifiers ESC [ 1 ; m final.
static const struct {
	char final;
	enum ct_key key;
} letters[] = {
	{'A', CT_UP}, {'B', CT_DOWN}, {'C', CT_RIGHT}, {'D', CT_LEFT}, {'H', CT_HOME}, {'F', CT_END},
	{'P', CT_F1}, {'Q', CT_F1 + 1}, {'R', CT_F1 + 2}, {'S', CT_F1 + 3},
};

// ESC [ number ~, and with modifiers ESC [ number ; m ~.
static const struct {
	int number;
	enum ct_key key;
} numbers[] = {
	{1, CT_HOME}, {2, CT_INSERT}, {3, CT_DELETE}, {4, CT_END}, {5, CT_PAGE_UP},
	{6, CT_PAGE_DOWN}, {7, CT_HOME}, {8, CT_END},
	{11, CT_F1}, {12, CT_F1 + 1}, {13, CT_F1 + 2}, {14, CT_F1 + 3}, {15, CT_F1 + 4},
	{17, CT_F1 + 5}, {18, CT_F1 + 6}, {19, CT_F1 + 7}, {20, CT_F1 + 8}, {21, CT_F1 + 9},
	{23, CT_F1 + 10}, {24, CT_F1 + 11},
};

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

static void define_letter(char final, enum ct_key key)
{
	char sequence[16];

	for (const char *introducer = key < CT_F1 ? "O[" : "O"; *introducer; introducer++) {
		snprintf(sequence, sizeof sequence, "\033%c%c", *introducer, final);
		define_key(sequence, own(key, 0));
	}
	for (unsigned modifiers = 1; modifiers < 1 << MODIFIER_BITS; modifiers++) {
		snprintf(sequence, sizeof sequence, "\033[1;%u%c", 1 + modifiers, final);
		define_key(sequence, own(key, modifiers));
	}
}

static void define_number(int number, enum ct_key key)
{
	char sequence[16];

	snprintf(sequence, sizeof sequence, "\033[%d~", number);
	define_key(sequence, own(key, 0));
	for (unsigned modifiers = 1; modifiers < 1 << MODIFIER_BITS; modifiers++) {
		snprintf(sequence, sizeof sequence, "\033[%d;%u~", number, 1 + modifiers);
		define_key(sequence, own(key, modifiers));
	}
}

void keyboard_open(void)
{
	keys = newpad(1, 1);
	keypad(keys, TRUE);
	nodelay(keys, TRUE);
	if (!getenv("ESCDELAY"))
		set_escdelay(25);
	define_key("\033[<", MOUSE_IN_DIGITS);
	define_key("\033[M", MOUSE_IN_CHARACTERS);
	define_key("\033[200~", PASTE_START);
	define_key("\033[201~", PASTE_END);
	for (int i = 0; i < COUNT(letters); i++)
		define_letter(letters[i].final, letters[i].key);
	for (int i = 0; i < COUNT(numbers); i++)
		define_number(numbers[i].number, numbers[i].key);
}

void keyboard_close(void)
{
	if (keys)
		delwin(keys);
	keys = NULL;
}

static struct ct_input key(enum ct_key key, unsigned modifiers)
{
	return (struct ct_input){.kind = CT_KEY, .code = key, .modifiers = modifiers};
}

static struct ct_input unknown(void)
{
	return (struct ct_input){.kind = CT_UNKNOWN};
}

// The next character of a sequence that has begun, 0 if none follows.
static wint_t rest_of_sequence(void)
{
	wint_t next;

	wtimeout(keys, get_escdelay());
	if (wget_wch(keys, &next) != OK)
		next = 0;
	nodelay(keys, TRUE);
	return next;
}

// The button as terminals encode it, with modifiers, and column and row, from 1.
static struct ct_input mouse(unsigned button, unsigned column, unsigned row)
{
	struct ct_input use = {.kind = CT_MOUSE, .x = column - 1, .y = row - 1};

	use.modifiers = (button & 4 ? CT_SHIFT : 0) | (button & 8 ? CT_ALT : 0) |
			(button & 16 ? CT_CONTROL : 0);
	switch (button & ~(4u | 8 | 16)) {
	case 0:
		use.code = CT_LEFT_BUTTON;
		break;
	case 64:
		use.code = CT_WHEEL_UP;
		break;
	case 65:
		use.code = CT_WHEEL_DOWN;
		break;
	default:
		return unknown();
	}
	return wenclose(stdscr, use.y, use.x) ? use : unknown();
}

// The rest of ESC [ < button ; column ; row M, or m when the button goes up.
static struct ct_input mouse_in_digits(void)
{
	unsigned values[3] = {0};
	int field = 0;
	wint_t next;

	while ((next = rest_of_sequence()) == ';' || (next >= '0' && next <= '9')) {
		if (next == ';')
			field++;
		else if (field < 3)
			values[field] = values[field] * 10 + (next - '0');
	}
	return next == 'M' && field == 2 ? mouse(values[0], values[1], values[2]) : unknown();
}

// The rest of ESC [ M button column row, one character each: the older form, without digits.
static struct ct_input mouse_in_characters(void)
{
	unsigned button = rest_of_sequence() - ' ';
	unsigned column = rest_of_sequence() - ' ';
	unsigned row = rest_of_sequence() - ' ';

	return mouse(button, column, row);
}

static struct ct_input named(int code)
{
	int function = code - KEY_F0;

	if (code == MOUSE_IN_DIGITS)
		return mouse_in_digits();
	if (code == MOUSE_IN_CHARACTERS)
		return mouse_in_characters();
	if (code == PASTE_START || code == PASTE_END)
		return (struct ct_input){.kind = code == PASTE_START ? CT_PASTE_START : CT_PASTE_END};
	if (code >= OWN)
		return key((code - OWN) >> MODIFIER_BITS, code & ((1 << MODIFIER_BITS) - 1));
	if (function >= 1 && function <= 12)
		return key(CT_F1 + function - 1, 0);
	for (int i = 0; i < COUNT(names); i++)
		if (names[i].code == code)
			return key(names[i].key, names[i].modifiers);
	return unknown();
}

// After an Escape that begins no known sequence: the key itself, Alt with another key, or a
// sequence that nobody knows, which must not be taken for typed text.
static struct ct_input after_escape(void)
{
	struct ct_input input;
	wint_t next;

	switch (wget_wch(keys, &next)) {
	case ERR:
		return key(CT_ESCAPE, 0);
	case KEY_CODE_YES:
		input = named(next);
		break;
	default:
		if (next == '\033') {
			unget_wch(next);
			return key(CT_ESCAPE, 0);
		}
		input = (struct ct_input){.kind = CT_CHARACTER, .code = next};
		if ((next == '[' || next == 'O') && (next = rest_of_sequence())) {
			while (next && next < 0x40)
				next = rest_of_sequence();
			return unknown();
		}
	}
	input.modifiers |= CT_ALT;
	return input;
}

struct ct_input ct_read(void)
{
	wint_t code;

	switch (wget_wch(keys, &code)) {
	case ERR:
		return (struct ct_input){.kind = CT_NOTHING};
	case KEY_CODE_YES:
		return named(code);
	default:
		if (code == '\033')
			return after_escape();
		return (struct ct_input){.kind = CT_CHARACTER, .code = code};
	}
}
