/// A bar on standard error, on a terminal only.
struct ProgressBar {
    private static let width = 30
    private var shown = -1

    /// Shows the share done, 0 to 1, and what is being done.
    mutating func show(_ share: Double, _ text: String) {
        let percent = Int(max(0, min(1, share)) * 100)
        guard Terminal.isInteractive, percent != shown else { return }
        shown = percent
        let full = percent * Self.width / 100
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: Self.width - full)
        Terminal.progress("\(bar) \("\(percent)".leftPadded(to: 3)) %  \(text)")
    }

    func end() { Terminal.endProgress() }
}
