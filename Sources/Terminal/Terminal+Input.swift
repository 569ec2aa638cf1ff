import CTerminal
import Canvas

extension Terminal {
  /// Waits for something to happen at the terminal. Meanwhile the process uses no CPU time.
  ///
  /// Ctrl-\, and Ctrl-C unless ``setInterrupts(_:)`` makes it a key, end the process as usual, also while
  /// it computes. Ctrl-Z stops it here.
  ///
  /// - Parameter timeout: The longest time to wait, forever if nil.
  /// - Returns: What happened; ``Input/tick`` if nothing did in time; ``Input/end``, again and again,
  ///   once the terminal is lost.
  public mutating func nextInput(timeout: Duration? = nil) -> Input {
    let deadline = timeout.map { ContinuousClock.now + $0 }
    while true {
      if let resize = handleSignals() { return resize }
      let event = ct_read()
      if let input = input(of: event) { return input }
      if event.kind != CT_NOTHING { continue }
      switch ct_wait(pasted == nil ? Self.milliseconds(until: deadline) : Self.silence) {
      case CT_READY, CT_SIGNALLED: continue
      case CT_TIMEOUT: return takePaste() ?? .tick
      default: return .end
      }
    }
  }

  /// Milliseconds after which a paste ends although its end marker has not arrived.
  private static let silence: Int32 = 1_000

  /// The pasted text, if any.
  private mutating func takePaste() -> Input? {
    defer { pasted = nil }
    return pasted.map { .paste(String($0)) }
  }

  /// Adds to the text being pasted: characters, but not keys.
  private mutating func add(_ event: ct_input) {
    guard event.kind == CT_CHARACTER, let scalar = Unicode.Scalar(event.code) else { return }
    pasted?.append(scalar == "\r" ? "\n" : scalar)
  }

  /// Handles the signals since the last call.
  ///
  /// - Returns: The size, if it has changed or the screen must be redrawn.
  private mutating func handleSignals() -> Input? {
    let signals = ct_signal(ct_take_signals())
    if signals.contains(CT_STOP) {
      ct_stop()
    } else if signals.contains(CT_CONTINUED) {
      ct_continue()
    } else if signals.contains(CT_RESIZED) {
      ct_resize()
    } else {
      return nil
    }
    shown = nil
    return .resize(width: size.width, height: size.height)
  }

  /// The time left in whole milliseconds, rounded up, a day at most; negative for no limit.
  private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
    guard let deadline else { return -1 }
    let left = ContinuousClock.now.duration(to: deadline)
    return Int32((min(max(left, .zero), .seconds(86_400)) / .milliseconds(1)).rounded(.up))
  }

  private mutating func input(of event: ct_input) -> Input? {
    switch event.kind {
    case CT_PASTE_START:
      pasted = String.UnicodeScalarView()
      return nil
    case CT_PASTE_END: return takePaste()
    case _ where pasted != nil:
      add(event)
      return nil
    default: break
    }
    let modifiers = Key.Modifiers(rawValue: UInt8(truncatingIfNeeded: event.modifiers))
    switch event.kind {
    case CT_CHARACTER:
      guard let scalar = Unicode.Scalar(event.code) else { return nil }
      let typed = Key(typed: scalar)
      return .key(Key(typed.base, typed.modifiers.union(modifiers)))
    case CT_KEY:
      return Key.Base(ct_key(event.code)).map { .key(Key($0, modifiers)) }
    case CT_MOUSE:
      let point = Point(Int(event.x), Int(event.y))
      let action: Mouse.Action =
        switch ct_button(event.code) {
        case CT_WHEEL_UP: .wheelUp
        case CT_WHEEL_DOWN: .wheelDown
        default: clicks.press(at: point, time: .now)
        }
      return .mouse(Mouse(action, at: point, modifiers: modifiers))
    default:
      return nil
    }
  }
}

extension ct_signal {
  fileprivate func contains(_ signal: ct_signal) -> Bool {
    rawValue & signal.rawValue != 0
  }
}

extension Key.Base {
  fileprivate init?(_ key: ct_key) {
    switch key {
    case CT_UP: self = .up
    case CT_DOWN: self = .down
    case CT_RIGHT: self = .right
    case CT_LEFT: self = .left
    case CT_HOME: self = .home
    case CT_END: self = .end
    case CT_INSERT: self = .insert
    case CT_DELETE: self = .delete
    case CT_PAGE_UP: self = .pageUp
    case CT_PAGE_DOWN: self = .pageDown
    case CT_TAB: self = .tab
    case CT_ENTER: self = .enter
    case CT_ESCAPE: self = .escape
    case CT_BACKSPACE: self = .backspace
    case _ where key.rawValue >= CT_F1.rawValue && key.rawValue <= CT_F12.rawValue:
      self = .function(Int(key.rawValue - CT_F1.rawValue) + 1)
    default: return nil
    }
  }
}
