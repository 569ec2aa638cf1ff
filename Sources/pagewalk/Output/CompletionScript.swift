import ArgumentParser

/// A shell's completions from the argument parser, with one addition: the command `view` may be omitted,
/// so without a command its files and options are also completed.
enum CompletionScript {
  private static let name = Pagewalk._commandName
  private static let view = Pagewalk.View._commandName

  /// The script with that; any other text is unchanged.
  static func withoutCommand(_ text: String) -> String {
    if text.hasPrefix("#!/bin/bash") { return text + "\n\n" + bash }
    if text.hasPrefix("#compdef \(name)\n") { return zsh(text) }
    if text.contains("\ncomplete -c '\(name)' -f\n") { return fish(text) }
    return text
  }

  /// The names of all commands, with a blank before and after each.
  private static let commands =
    " "
    + (Pagewalk.configuration.subcommands.map { $0._commandName } + ["help"])
    .joined(separator: " ") + " "

  /// Readline ends words at `=` and `:`, which are in the middle of policies and moments. The functions of
  /// bash-completion, if loaded, join them again; the completions must then begin where
  /// readline's word does.
  private static let bash = """
    _\(name)_or_\(view)() {
        local -a words=("${COMP_WORDS[@]}") found=()
        local cur="${2}" prev="${3}" cword="${COMP_CWORD}"
        if declare -F _get_comp_words_by_ref >/dev/null; then
            _get_comp_words_by_ref -n =: cur prev words cword
            COMP_WORDS=("${words[@]}")
            COMP_CWORD="${cword}"
        fi

        _\(name) "${1}" "${cur}" "${prev}"
        if [[ "${COMP_CWORD}" -eq 1 || "\(commands)" != *" ${COMP_WORDS[1]} "* ]]; then
            found=("${COMPREPLY[@]}")
            COMPREPLY=()
            COMP_LINE="${COMP_WORDS[0]} \(view)${COMP_LINE#"${COMP_WORDS[0]}"}"
            COMP_POINT="$((COMP_POINT + \(view.utf8.count + 1)))"
            COMP_WORDS=("${COMP_WORDS[0]}" \(view) "${COMP_WORDS[@]:1}")
            COMP_CWORD="$((COMP_CWORD + 1))"
            _\(name) "${1}" "${cur}" "${prev}"
            COMPREPLY+=("${found[@]}")
        fi
        COMPREPLY=("${COMPREPLY[@]#"${cur%"${2}"}"}")
    }

    complete -o filenames -F _\(name)_or_\(view) \(name)
    """

  /// The shell calls the function of the program's name, so the parser's gets another one.
  private static func zsh(_ text: String) -> String {
    let start = "\n_\(name)() {\n"
    let end = "\nif [[ \"${funcstack[1]}\" = _\(name) ]]; then\n"
    let both = """

      _\(name)() {
          local -i ret=1
          local -i has_command=0
          [[ "${CURRENT}" -gt 2 && '\(commands)' = *" ${words[2]} "* ]] && has_command=1
          _\(name)_command "${@}" && ret=0
          if [[ "${has_command}" -eq 0 ]]; then
              words=("${words[1]}" \(view) "${(@)words[2,-1]}")
              CURRENT="$((CURRENT + 1))"
              _\(name)_command "${@}" && ret=0
          fi
          return "${ret}"
      }

      """
    return text.replacing(start, with: "\n_\(name)_command() {\n", maxReplacements: 1)
      .replacing(end, with: both + end, maxReplacements: 1)
  }

  /// Whatever applies after the command also applies without it.
  private static func fish(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.flatMap { line in
      line.hasPrefix("complete ") && line.contains("\"\(name) \(view)\"")
        ? [String(line), String(line).replacing("\"\(name) \(view)\"", with: "\"\(name)\"")]
        : [String(line)]
    }.joined(separator: "\n")
  }
}
