extension Glossary {
  /// What the screen is made of.
  static let program: [Entry] = [
    Entry(
      "lesson", also: ["lessons", "misconception", "drill", "review"],
      "A scene with text and questions. A guess is kept before anything is shown; then the engine marks it. A "
        + "wrong one belongs to a misconception, which a scene of one to four statements refutes.",
      shows: "in the place of explanations, for `pagewalk learn` and what key E lists",
      see: ["expectation", "explain"]),
    Entry(
      "event", also: ["events", "statement"],
      "Something that happens: one statement of a scenario, or one typed at the prompt.",
      shows: "the header; the timeline", see: ["micro-step", "moment", "scenario"]),
    Entry(
      "micro-step", also: ["step", "steps"],
      "One thing that an event does, with the table, the address and the words that it changed.",
      shows: "the steps pane", see: ["event", "moment", "explain"]),
    Entry(
      "moment",
      "A place in the history: so many events done, and so many micro-steps of the next. Going there and "
        + "back is exact.",
      shows: "the header; goto", see: ["timeline", "mark", "chapter"]),
    Entry(
      "scenario", also: ["recording"],
      "A file of statements: a world, what happens in it, and what is expected.",
      shows: "the header's second line", see: ["event", "chapter", "expectation"]),
    Entry(
      "expectation", also: ["expect"],
      "A statement of what must be so at its place; `pagewalk run` fails if it is not.",
      shows: "`pagewalk run`", see: ["scenario", "invariant"]),
    Entry(
      "timeline",
      "All events in a row, a letter for each kind, with the moment, chapters and marks.",
      shows: "the line above the last", see: ["moment", "chapter", "mark", "invariant"]),
    Entry(
      "chapter", "A stretch of events that the scenario names; it ends at a statement `chapter`.",
      shows: "the header; bars below the timeline",
      see: ["mark", "moment", "scenario"]),
    Entry(
      "mark", also: ["marks", "jump list"],
      "A moment that a person gave a letter; and where one was before.",
      shows: "the answer Marks", see: ["chapter", "moment"]),
    Entry(
      "branch", also: ["branches", "histories", "history", "future"],
      "Another future: a statement typed at a moment before the end, or an event left out, and then as much of the "
        + "old future as the engine still takes. The old history is kept.",
      shows: "the answer Histories; the header", see: ["event", "moment"]),
    Entry(
      "watch", also: ["watches", "stop"],
      "A place or condition at which running stops, either way.",
      shows: "the answer Watches", see: ["filter", "timeline"]),
    Entry(
      "filter", also: ["narrow", "list", "entries"],
      "A condition that chooses entries or events: what is shown, or stopped at.",
      shows: "its text in a pane's title; the answers Entries and Count", see: ["watch"]),
    Entry(
      "explain", also: ["why", "what happened"],
      "The answer to what happened last: what, why, cost, and where the rule comes from.",
      shows: "the answer pane", see: ["provenance", "cost", "reference card"]),
    Entry(
      "provenance", also: ["where from"],
      "The chain of events that made an entry what it is, back to its cause.",
      shows: "the answer pane", see: ["explain", "entry answer"]),
    Entry(
      "entry answer", also: ["walk strip"],
      "The selected entry taken apart: its walk in every table, its bits, its derivation.",
      shows: "the answer pane", see: ["descriptor", "walk", "derivation"]),
    Entry(
      "forecast", also: ["next", "ghost"], "What the next event would change.",
      shows: "the answer pane; + before rows that will come", see: ["event", "provenance"]),
    Entry(
      "cost", also: ["costs", "counters", "counter"],
      "What an event, or all so far, took: faults, leaves made and removed, tables, TLBIs, full unmaps.",
      shows: "the answers Explain and Counters", see: ["needed", "full unmap", "refault"]),
    Entry(
      "differences", also: ["diff"],
      "How two tables, or a table at two moments or in two histories, differ.",
      shows: "the answer pane",
      see: ["mark", "moment"]),
    Entry(
      "disagreement",
      "How a device's table differs from the CPUs' table: other memory, permissions, size or memory type, or "
        + "nothing mapped. Most of it is allowed; what breaks a rule is not.",
      shows: "signs in the rows of the device's table; the answer Disagreement",
      see: ["differences"]),
    Entry(
      "not known", also: ["unknowns", "seen", "not told"],
      "What nobody has told of a real kernel's tables: dumps have no output addresses, and of tables that were seen "
        + "at some moments no event is known.",
      shows: "? in rows, in the header and in the answer Not known", see: ["differences", "moment"]),
    Entry(
      "glossary", also: ["word"],
      "The words of the field and of this program, each with its meaning.",
      shows: "above the panes", see: ["reference card"]),
    Entry(
      "linked cursor", also: ["link", "cursor"],
      "The selected page is shown wherever it is: through L1's table, the canonical one, the reverse map.",
      shows: "highlighted rows", see: ["alias", "follow"]),
    Entry(
      "follow", "The cursor moves to what happens, until a person moves it.", shows: "o",
      see: ["linked cursor"]),
    Entry(
      "detail level", also: ["plain", "engineer", "bits"],
      "How much is said: plain words, also cost and sources, also every word that changed.",
      shows: "the answer pane; `detail` of the configuration", see: ["explain", "descriptor"]),
    Entry(
      "reference card", also: ["card"],
      "A rule that a step follows, in a few lines, with the kernel function or mail it comes from.",
      shows: "R", see: ["micro-step", "explain"]),
    Entry(
      "pane", "A part of the screen that can have the focus, with a number.", shows: "title lines",
      see: ["canonical table", "guest table", "shadow", "micro-step", "explain"]),
  ]
}
