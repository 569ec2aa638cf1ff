# Markdown of a manual page for each command, from what `pagewalk --experimental-dump-help` says of them: an object
# {"name": ..., "text": ...} each. $also: other pages. $more: what the
# first page has besides.

# Text of help: code stays what it is, and nothing else is Markdown. Lines that are indented are examples.
def escaped: split("`") | [range(length) as $i | if $i % 2 == 0 then .[$i] | gsub("(?<c>[\\\\*_<\\[#|~])"; "\\\(.c)") else .[$i] end] | join("`");
def prose:
  split("\n\n") | map(
    if test("(^|\n) ") then
      # A heading of a list, then the list.
      split("\n") | map(if startswith(" ") then "    " + . else "\n" + escaped + "\n" end) | join("\n")
    else escaped end) | join("\n\n");

def spelled: if .kind == "long" then "--" + .name else "-" + .name end;
def term:
  if .kind == "positional" then "*\(.valueName)*"
  else (.names | map("**\(spelled)**") | join(", ")) + (if .kind == "option" then " *\(.valueName)*" else "" end) end;
def entry:
  term + "\n: " + (.abstract // "" | escaped)
  + (if .defaultValue then " (default: `\(.defaultValue)`)" else "" end)
  + (if .discussion then "\n\n    " + (.discussion | gsub("\n"; " ") | escaped) else "" end) + "\n\n";
def entries($title; $list): if $list == [] then "" else "# \($title)\n\n" + ($list | map(entry) | join("")) end;
def synopsis:
  "**" + .words + "**"
  + (if .options == [] then "" else " [*option* ...]" end)
  + (.operands | map(" " + (if .isOptional then "[*\(.valueName)*]" else "*\(.valueName)*" end) + (if .isRepeating then " ..." else "" end)) | join(""))
  + (if .subcommands == [] then "" else " *command* ..." end);

def pages($above):
  ($above + [.commandName]) as $path
  | { words: ($path | join(" ")), page: ($path | join("-")), abstract, discussion,
      operands: [(.arguments // [])[] | select(.shouldDisplay and .kind == "positional")],
      options: [(.arguments // [])[] | select(.shouldDisplay and .kind != "positional")],
      subcommands: [(.subcommands // [])[] | select(.commandName != "help")] }
  | { name: .page,
      text: ("# NAME\n\n\(.page) - \(.abstract // "" | rtrimstr(".") | (.[:1] | ascii_downcase) + .[1:] | escaped)\n\n"
        + "# SYNOPSIS\n\n\(synopsis)\n\n"
        + (if .discussion then "# DESCRIPTION\n\n\(.discussion | prose)\n\n" else "" end)
        + entries("OPERANDS"; .operands) + entries("OPTIONS"; .options)
        + (if .subcommands == [] then "" else "# COMMANDS\n\n"
            + (.page as $page | .subcommands | map("**\($page)-\(.commandName)**(1)\n: \(.abstract // "" | escaped)\n\n") | join("")) end)
        + (if $above == [] then $more + "\n" else "" end)
        + "# SEE ALSO\n\n" + ([if $above == [] then empty else "**\($above | join("-"))**(1)" end, $also] | join(", ")) + "\n") },
    (.subcommands[] | pages($path));

.command | pages([])
