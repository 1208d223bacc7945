/// What went wrong with an image, where, and what to do.
public struct ImagingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure; names are stable between versions.
    public enum Code: String, Sendable, CaseIterable {
        /// The file does not exist or cannot be opened, or is a folder.
        case cannotOpen
        /// The system failed while reading.
        case cannotRead
        /// The file or folder cannot be written.
        case cannotWrite
        /// Not a file of the expected kind.
        case unknownFormat
        /// The file ends before what its header promises.
        case truncated
        /// Compressed data is damaged.
        case corrupt
        /// A header field that cannot be true.
        case badHeader
        /// Dimensions whose product overflows, or more than this machine can hold.
        case tooLarge
        /// A spacing or affine that places no voxel.
        case badGeometry
        /// A known format's feature that this library does not read.
        case unsupported
        /// Two images that must share a grid do not, or one has the wrong number of values.
        case mismatch
        /// Voxels that no result can come from: all zero, or none finite.
        case blank
    }

    /// The kind of failure.
    public let code: Code
    /// The file, as the caller named it; empty when no file is involved.
    public let path: String
    /// What was expected and what was found.
    public let problem: String
    /// What the reader of the message can do.
    public let remedy: String

    /// Makes an error; `problem` and `remedy` are clauses without a capital or a full stop.
    public init(_ code: Code, path: String = "", problem: String, remedy: String) {
        self.code = code
        self.path = path
        // What is quoted from a file has no length that can be relied on.
        self.problem = problem.utf8.count > 1000 ? problem.prefix(400) + "…" : problem
        self.remedy = remedy
    }

    /// "path: problem: remedy".
    public var description: String {
        [path, problem, remedy].filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// The same error about a file.
    package func at(_ path: String) -> ImagingError {
        self.path.isEmpty ? ImagingError(code, path: path, problem: problem, remedy: remedy) : self
    }
}

/// Numbers for people, without Foundation.
enum Format {
    /// "3.14" for `decimals` 2; half goes away from zero. "not a number" and "infinite" for those.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "not a number" : "infinite" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let whole = Int(scaled)
        let sign = value < 0 && whole > 0 ? "-" : ""
        if decimals == 0 { return sign + String(whole) }
        let digits = String(whole)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    /// At most three decimals, no trailing zeros: "1", "0.938".
    static func short(_ value: Double) -> String {
        var text = fixed(value, 3)
        guard text.contains("."), !text.contains("e") else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// "540 bytes", "3.1 MB": decimal units.
    static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        if value < 1000 { return "\(count) bytes" }
        for unit in ["kB", "MB", "GB", "TB", "PB"] {
            value /= 1000
            if value < 999.95 || unit == "PB" { return fixed(value, 1) + " " + unit }
        }
        return ""
    }
}
