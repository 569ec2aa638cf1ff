/// The meaning of a cell. Views name roles, themes give them colours.
///
/// A new role is one name here and one line in ``paint``.
public enum Role: UInt8, CaseIterable, Sendable {
  /// Text.
  case text, dim, title, heading, key, prompt, match
  /// Panes.
  case paneBorder, paneBorderFocused, paneTitle, paneTitleFocused
  /// States of a table entry.
  case valid, block, invalid, changed, stale, unknown, mismatch
  /// Entries that the cursor's page reaches in other panes.
  case linked
  /// Parts of an entry.
  case address, permission, ownerHardware, ownerSoftware
  /// Warnings and errors.
  case warning, error
  /// Kinds of event on the timeline.
  case eventHost, eventGuest, eventNested, eventDevice, eventInvalidate, eventOther

  /// The paint of the role, in any theme.
  ///
  /// Colours support a meaning and never carry it alone: without them a role stands out by its
  /// attributes, or its meaning is in the text. Opposites are never red and green; there is no green.
  var paint: Paint {
    switch self {
    case .text: Paint(.plain)
    case .dim: Paint(.faint, mono: .dim)
    case .title: Paint(.plain, .bold)
    case .heading: Paint(.plain, .bold)
    case .key: Paint(.blue, .bold)
    case .prompt: Paint(.plain, .bold)
    case .match: Paint(.match, on: .matchGround, mono: [.reverse, .underline])
    case .paneBorder: Paint(.faint, mono: .dim)
    case .paneBorderFocused: Paint(.blue, .bold)
    case .paneTitle: Paint(.plain)
    case .paneTitleFocused: Paint(.blue, .bold, mono: .reverse)
    case .valid: Paint(.blue)
    case .block: Paint(.cyan)
    case .invalid: Paint(.faint, mono: .dim)
    case .changed: Paint(.yellow, .bold)
    case .stale: Paint(.orange, mono: .underline)
    case .unknown: Paint(.violet, mono: .bold)
    case .mismatch: Paint(.red, .bold, mono: .underline)
    case .linked: Paint(.linked, on: .linkedGround, mono: .underline)
    case .address: Paint(.plain)
    case .permission: Paint(.cyan)
    case .ownerHardware: Paint(.blue)
    case .ownerSoftware: Paint(.orange)
    case .warning: Paint(.yellow, .bold)
    case .error: Paint(.red, .bold, mono: .reverse)
    case .eventHost: Paint(.orange)
    case .eventGuest: Paint(.blue)
    case .eventNested: Paint(.violet)
    case .eventDevice: Paint(.cyan)
    case .eventInvalidate: Paint(.yellow)
    case .eventOther: Paint(.faint, mono: .dim)
    }
  }
}

/// The paint of a role: hues, and attributes.
struct Paint {
  /// The colour of the strokes.
  var hue: Hue
  /// The colour behind them; nil for the screen's.
  var ground: Hue?
  /// Attributes at every depth.
  var attributes: Attributes
  /// Further attributes where the hues cannot be shown.
  var mono: Attributes

  init(
    _ hue: Hue, on ground: Hue? = nil, _ attributes: Attributes = [], mono: Attributes = []
  ) {
    self.hue = hue
    self.ground = ground
    self.attributes = attributes
    self.mono = mono
  }
}
