// ncurses with wide characters: the only file that includes ncurses.h. To be included first.
#ifndef CTERMINAL_WIDECURSES_H
#define CTERMINAL_WIDECURSES_H

#define _GNU_SOURCE
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

#endif
