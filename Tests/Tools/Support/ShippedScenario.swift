import Foundation
import Language

/// The folder of the scenarios that come with pagewalk.
public let shippedScenarios = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "assets/scenarios")

/// Reads a scenario that comes with pagewalk, by its path below `shippedScenarios`.
public func shippedScenario(_ file: String) throws -> Scenario {
  let bytes = try [UInt8](Data(contentsOf: shippedScenarios.appending(path: file)))
  return try Scenario(parsing: bytes, file: file)
}

/// The paths of all scenarios that come with pagewalk, below `shippedScenarios`, in order.
public let shippedScenarioNames =
  (FileManager.default.enumerator(atPath: shippedScenarios.path)?.compactMap { $0 as? String } ?? [])
  .filter { $0.hasSuffix(".pw") }.sorted()
