extension [String] {
    /// Names that stand there more than once with their numbers: "CT 0", "CT 1".
    func numberingRepeats(from first: Int = 0) -> [String] {
        let counts = reduce(into: [:]) { $0[$1, default: 0] += 1 }
        return enumerated().map { counts[$1] == 1 ? $1 : "\($1) \($0 + first)" }
    }
}
