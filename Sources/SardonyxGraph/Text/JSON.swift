import Glibc

/// A JSON value. Objects keep the order in which they were built.
package indirect enum JSON: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([(key: String, value: JSON)])

    /// The value on one line.
    package var text: String {
        var result = ""
        append(to: &result, indentation: nil)
        return result
    }

    /// The value with a line an element; lists of plain values stay on one line.
    package var prettyText: String {
        var result = ""
        append(to: &result, indentation: 0)
        return result
    }

    private func append(to text: inout String, indentation: Int?) {
        func list(
            _ indentation: Int?, _ open: String, _ close: String, _ count: Int, _ element: (Int, inout String) -> Void
        ) {
            text += open
            for index in 0..<count {
                if index > 0 { text += indentation == nil ? ", " : "," }
                if let indentation { text += "\n" + String(repeating: "  ", count: indentation + 1) }
                element(index, &text)
            }
            if let indentation, count > 0 { text += "\n" + String(repeating: "  ", count: indentation) }
            text += close
        }
        let indentation = isFlat ? nil : indentation
        let inner = indentation.map { $0 + 1 }
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += "\(value)"
        // JSON has no NaN and no infinity.
        case .number(let value): text += value.isFinite ? Self.digits(value) : "null"
        case .string(let value): text += JSON.quoted(value)
        case .array(let values):
            list(indentation, "[", "]", values.count) { values[$0].append(to: &$1, indentation: inner) }
        case .object(let entries):
            list(indentation, "{", "}", entries.count) {
                $1 += JSON.quoted(entries[$0].key) + ": "
                entries[$0].value.append(to: &$1, indentation: inner)
            }
        }
    }

    /// A number with nine significant digits.
    private static func digits(_ value: Double) -> String {
        withVaList([value]) { arguments in
            var buffer = [CChar](repeating: 0, count: 32)
            vsnprintf(&buffer, buffer.count, "%.9g", arguments)
            return withPoint(buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)))
        }
    }

    /// A number as the C library prints it, with JSON's point in place of the one of the locale that the process has chosen.
    package static func withPoint(_ printed: [UInt8]) -> String {
        let parts = printed.split { !(0x30...0x39).contains($0) && !Array("+-e".utf8).contains($0) }
        return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    /// Whether it is an array without arrays and objects in it.
    private var isFlat: Bool {
        guard case .array(let values) = self else { return false }
        return values.allSatisfy { value in
            switch value {
            case .array, .object: false
            default: true
            }
        }
    }

    private static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    package subscript(key: String) -> JSON? {
        if case .object(let entries) = self { entries.last { $0.key == key }?.value } else { nil }
    }

    /// A text; nil for other values.
    package var string: String? { if case .string(let value) = self { value } else { nil } }

    package var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
