/// What the text headers of NRRD and MetaImage have in common.
enum TextHeader {
    /// Numbers with blanks between them; `nil` when one is none.
    static func numbers(_ text: String) -> [Double]? { all(words(text).map { Double($0) }) }

    /// Whole numbers with blanks between them; `nil` when one is none.
    static func integers(_ text: String) -> [Int]? { all(words(text).map { Int($0) }) }

    static func words(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "\t" }.map(String.init)
    }

    /// Without the blanks at either end.
    static func trimmed(_ text: Substring) -> String {
        func isBlank(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var bytes = text.utf8
        while isBlank(bytes.first) { bytes.removeFirst() }
        while isBlank(bytes.last) { bytes.removeLast() }
        return String(Substring(bytes))
    }

    /// Blanks in place of control characters: text that stays on its line.
    static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }

    private static func all<T>(_ values: [T?]) -> [T]? {
        let known = values.compactMap { $0 }
        return known.count == values.count ? known : nil
    }

    /// The path of a data file that a header names.
    ///
    /// - Throws: `.unsupported` for names that lead out of the header's folder: a header from elsewhere could name any
    ///   file of this machine.
    static func path(of name: String, beside header: String) throws -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !name.hasPrefix("/"), !parts.contains("..") else {
            throw ImagingError(
                .unsupported, path: header,
                problem: name.isEmpty
                    ? "the header names no data file" : "its data file '\(name)' is not in the header's folder",
                remedy: "put the data beside the header and name it without its folder")
        }
        guard let slash = header.lastIndex(of: "/") else { return name }
        return String(header[...slash]) + name
    }

    /// The names that a pattern such as "slice%03d.raw" gives for the numbers from `first` to `last` by `step`.
    ///
    /// - Parameter most: files beyond this count are an error.
    static func names(_ pattern: String, from first: Int, to last: Int, by step: Int, most: Int) throws -> [String] {
        func bad(_ problem: String) -> ImagingError {
            ImagingError(.badHeader, problem: problem, remedy: "repair the header")
        }
        let parts = pattern.split(separator: "%", omittingEmptySubsequences: false)
        guard parts.count == 2, let end = parts[1].firstIndex(where: { !("0"..."9").contains($0) }),
            ["d", "i", "u"].contains(parts[1][end]), let width = Int("0" + parts[1][..<end]), width < 100
        else { throw bad("'\(pattern)' is no pattern of file names such as slice%03d.raw") }
        let isZeroed = parts[1].hasPrefix("0")
        let (distance, overflow) = last.subtractingReportingOverflow(first)
        guard first >= 0, last >= 0, !overflow, step != 0, distance / step >= 0, distance / step < most else {
            throw bad("the files \(first) to \(last) by \(step) are not the header's \(most) or fewer")
        }
        return stride(from: first, through: last, by: step).map { number in
            let digits = String(number)
            let pad = String(repeating: isZeroed ? "0" : " ", count: max(0, width - digits.count))
            return parts[0] + pad + digits + parts[1][parts[1].index(after: end)...]
        }
    }
}

extension VolumeLayout {
    /// The most files that the values can be divided over.
    static let mostPieces = 1 << 16

    /// Makes the values be in `paths`, an equal share in each.
    ///
    /// - Throws: `.badHeader` unless the shares are whole parts of the volume: slices, volumes or their components.
    mutating func divide(over paths: [String], axes: [Int], lines: Int = 0, skip: UInt64?) throws {
        var shares = [1]
        for size in axes.reversed() where shares.last! <= VolumeLayout.mostPieces { shares.append(shares.last! * size) }
        guard shares.contains(paths.count), paths.count <= VolumeLayout.mostPieces else {
            throw ImagingError(
                .badHeader, problem: "the header says \(summary), which \(paths.count) files do not divide evenly",
                remedy: "name a file for each slice, or one for all")
        }
        pieces = paths.map { Piece(path: $0, lines: lines, skip: skip) }
    }
}
