// Drawing on the screen.

#include "widecurses.h"

#include <wchar.h>

#include "CTerminal.h"

void ct_set_pair(uint16_t pair, int foreground, int background)
{
	init_extended_pair(pair, foreground, background);
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
		// A character whose width the C library gets wrong would shift the rest of the line.
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
	bool hidden = x < 0;

	// A hidden cursor need not move; but some terminals cannot hide theirs.
	leaveok(stdscr, hidden && curs_set(0) != ERR);
	wmove(stdscr, hidden ? LINES - 1 : y, hidden ? COLS - 1 : x);
	wnoutrefresh(stdscr);
	doupdate();
	if (!hidden)
		curs_set(1);
}

void ct_repaint(void)
{
	clearok(curscr, TRUE);
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
