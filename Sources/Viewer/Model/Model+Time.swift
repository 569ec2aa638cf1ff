import Canvas
import Engine
import Inquiry
import Language

/// Named places in time, and moving between them.
extension Model {
  /// The user's place.
  var place: Place {
    Place(
      branch: branch, moment: timeline.moment, table: selected,
      position: selected.flatMap { pane(showing: $0) }.flatMap { views[$0]?.cursor })
  }

  /// The marks by their letters, the newest last.
  var orderedMarks: [(letter: Unicode.Scalar, place: Place)] {
    marks.sorted {
      ($0.key == newestMark ? 1 : 0, $0.key) < ($1.key == newestMark ? 1 : 0, $1.key)
    }.map { ($0.key, $0.value) }
  }

  /// Notes that the place is left by a jump.
  mutating func noteJump() { jumps.leave(place) }

  /// Goes to a moment as a jump.
  mutating func jump(to moment: Moment) {
    noteJump()
    go(to: moment)
  }

  /// Goes to a place left by a jump.
  mutating func jump(forward: Bool) {
    let target = forward ? jumps.forward(from: place) : jumps.back(from: place)
    if let target { show(target) }
  }

  /// Goes to a place, and restores its selection.
  mutating func show(_ place: Place) {
    branch = place.branch
    go(to: place.moment)
    if let table = place.table, let position = place.position {
      select(position.address, in: table, level: position.level)
    }
  }

  /// Goes to the next or previous chapter or mark.
  mutating func goToNamedMoment(forward: Bool) {
    let now = timeline.moment
    let named =
      (session.chapters.map { Moment(events: $0.end) }
      + marksHere.map(\.place.moment)
      + notesHere.map(\.place.moment)).sorted()
    guard let target = forward ? named.first(where: { $0 > now }) : named.last(where: { $0 < now })
    else {
      return refuse(
        forward
          ? "There is no later chapter or mark. \(press(.previousMark)) to go back."
          : "There is no earlier chapter or mark. \(press(.nextMark)) to go on.")
    }
    go(to: target)
  }

  /// Goes to a typed moment or address.
  mutating func goTo(_ text: String) {
    if text.hasPrefix("0x"), let address = Number.value(of: text[...]) {
      return selectAddress(address)
    }
    do throws(NoMoment) {
      jump(to: try session.existingMoment(named: text))
    } catch {
      refuse(
        session.isMomentName(text)
          ? "\(SafeText(error.message.capitalized))."
          : "Expected \(SafeText(session.momentHelp)), or 0xADDRESS.")
    }
  }

  /// Selects an input address in the table that has, or had, the focus.
  private mutating func selectAddress(_ address: UInt64) {
    guard let reader = reader(of: lastTable), let table = tableID(of: lastTable) else {
      return refuse("There is no table here. \(press(.nextPane)) to go to the next pane.")
    }
    guard address < reader.geometry.inputSize else {
      return refuse("\(SafeText(Phrase.table(table))) ends at \(hex: reader.geometry.inputSize).")
    }
    noteJump()
    setFocus(lastTable)
    select(address, in: table)
    isFollowing = false
    say("\(SafeText(Phrase.input(table))) \(hex: address) in \(SafeText(Phrase.table(table))).")
  }

  // MARK: Marks

  mutating func setMark(_ name: String) {
    guard let letter = markLetter(name) else { return }
    marks[letter] = place
    newestMark = letter
    say(
      "Marked as \(SafeText(name)). \(press(.goToMark, SafeText(name))) to come back, "
        + "\(quoted(.diff)) to compare."
    )
  }

  mutating func goToMark(_ name: String) {
    guard let letter = markLetter(name) else { return }
    guard let place = marks[letter] else {
      return refuse(
        "There is no mark \(SafeText(name)). \(press(.setMark, "a letter")) to set one.")
    }
    noteJump()
    show(place)
  }

  private mutating func markLetter(_ name: String) -> Unicode.Scalar? {
    guard let letter = name.unicodeScalars.first, name.unicodeScalars.count == 1,
      letter.properties.isAlphabetic
    else {
      refuse("Expected one letter.")
      return nil
    }
    return letter
  }

  // MARK: Watches

  /// Adds a watch; without a condition, for changes of the selected entry.
  mutating func watch(_ text: String) {
    var text = text
    if text.isEmpty {
      if isRangeSelected {
        return refuse(
          "A range of the reverse map cannot be watched; its page in a table can, or every event that makes "
            + "a range unknown: type \":watch unknown\".")
      }
      guard let selected, let address = place.position?.address else {
        return refuse(noSelection)
      }
      text = "changes=\(selected.name):\(Phrase.address(address))"
    }
    if let index = watches.firstIndex(where: { $0.filter.text == text }) {
      watches.remove(at: index)
      return say("No longer watched: \(SafeText(text)).")
    }
    do throws(FilterError) {
      watches.append(Watch(filter: try Filter(parsing: text, for: .events)))
      say(
        "\(quoted(.run)) and \(quoted(.runBack)) stop at: \(SafeText(text)), and at what is watched from "
          + "the start. \(press(.watches)) for the list.")
    } catch {
      refuse(SafeText(error.message))
    }
  }

  mutating func unwatch(_ text: String) {
    if text == "all" {
      watches = []
      return say("Nothing is watched.")
    }
    guard let number = Int(text), watches.indices.contains(number - 1) else {
      return refuse("Expected all, or the number of a watch: 1 to \(watches.count).")
    }
    let watch = watches.remove(at: number - 1)
    say("No longer watched: \(SafeText(watch.filter.text)).")
  }

  // MARK: Time that passes

  /// How long the program waits for input before a tick; nil if nothing is playing.
  public var tickInterval: Duration? {
    if let replay, replay.isRunning { return replay.interval }
    return playback.isPlaying ? playback.beat : nil
  }

  /// Plays events or micro-steps; a unit already playing is paused.
  mutating func play(_ unit: Playback.Unit) {
    if playback.unit == unit { return pause() }
    playback.unit = unit
    say(
      "Playing, \(playback.pace). \(press(.faster)) or \(quoted(.slower)) to change the speed, "
        + "\(quoted(unit == .event ? .play : .playSteps)) to pause.")
  }

  mutating func pause() {
    playback.unit = nil
    say("Paused.")
  }

  mutating func changeSpeed(faster: Bool) {
    guard playback.change(faster: faster) else {
      return refuse("\(faster ? "Fastest" : "Slowest") already: \(playback.pace).")
    }
    say("Speed \(playback.pace)." + (playback.isPlaying ? "" : " \(press(.play)) to play."))
  }

  /// Plays one event or micro-step. Stops at the end, at watches, and at chapters and marks.
  mutating func playOn() {
    let isStep = playback.unit == .step
    guard session.move({ isStep ? $0.stepForward() : $0.forward() }),
      let event = timeline.currentEvent
    else {
      playback.unit = nil
      return say("End of the history.")
    }
    if let reason = reasonToStop(after: event) {
      playback.unit = nil
      say("Stopped at event \(event + 1): \(reason).")
    }
    momentHasChanged()
  }

  /// Why playing stops at the current moment; nil if it continues.
  private mutating func reasonToStop(after event: Int) -> SafeText? {
    let moment = timeline.moment
    if let mark = mark(at: moment) { return mark }
    // Events are judged at their end.
    guard moment.steps == 0 else { return nil }
    if let found = stop(at: event, of: stops) { return found }
    return session.chapters.first { $0.end == moment.events }
      .map { "end of chapter \(SafeText($0.label))" }
  }
}
