import ArgumentParser

@main
struct Pagewalk: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watch stage-2 page tables live.")
}
