// What a program can ask before it opens the screen.

#include "widecurses.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "CTerminal.h"

// If the locale asked for is not installed, another one for UTF-8 does as well: the character encoding
// is all that is used of it.
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

const char *ct_library(void)
{
	return curses_version();
}
