import Glibc

@testable import Canvas

/// A colour as light: its parts of red, green and blue by their energy, 0 to 1.
struct Light {
  var red: Double
  var green: Double
  var blue: Double

  init(_ red: Double, _ green: Double, _ blue: Double) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  /// The light of an sRGB colour (IEC 61966-2-1, with the threshold of WCAG 2).
  init(_ colour: RGB) {
    func linear(_ part: Int) -> Double {
      let value = Double(part) / 255
      return value <= 0.03928 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    self.init(linear(colour.red), linear(colour.green), linear(colour.blue))
  }

  /// Relative luminance, 0 to 1, as WCAG 2 defines it.
  var luminance: Double { 0.2126 * red + 0.7152 * green + 0.0722 * blue }

  /// The contrast with another light, 1 to 21, as WCAG 2 defines it.
  func contrast(with other: Light) -> Double {
    let (darker, lighter) = (min(luminance, other.luminance), max(luminance, other.luminance))
    return (lighter + 0.05) / (darker + 0.05)
  }

  /// How different another light looks: the distance in CIE L*a*b* of 1976 at the white of D65. About 2
  /// is just noticeable, 100 is from black to white.
  func distance(to other: Light) -> Double {
    let (one, two) = (lab, other.lab)
    return hypot(hypot(one.l - two.l, one.a - two.a), one.b - two.b)
  }

  private var lab: (l: Double, a: Double, b: Double) {
    func f(_ part: Double) -> Double {
      part > 216.0 / 24389 ? cbrt(part) : part * 841 / 108 + 4.0 / 29
    }
    let x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    let y = f(luminance)
    let z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.0890)
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))
  }

  /// The light that looks to all as this one looks to some.
  func seen(by vision: Vision) -> Light {
    let parts = vision.matrix.map { row in
      min(max(row.0 * red + row.1 * green + row.2 * blue, 0), 1)
    }
    return Light(parts[0], parts[1], parts[2])
  }
}

/// How people see colours: as most do, or without one of the three kinds of cone.
///
/// The matrices are those of Machado, Oliveira and Fernandes, "A Physiologically-based Model for
/// Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, at severity 1.0.
enum Vision: CaseIterable {
  case usual, protanopia, deuteranopia, tritanopia

  fileprivate var matrix: [(Double, Double, Double)] {
    switch self {
    case .usual: [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    case .protanopia:
      [
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
      ]
    case .deuteranopia:
      [
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
      ]
    case .tritanopia:
      [
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
      ]
    }
  }
}
