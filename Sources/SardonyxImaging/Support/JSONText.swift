/// A value to be written as JSON (RFC 8259). Members keep their order.
public enum JSONValue: Sendable, Equatable {
    /// Members in order; names are the caller's to keep apart.
    case object([(String, JSONValue)])
    /// Values in order.
    case array([JSONValue])
    /// Text.
    case string(String)
    /// A number, written so that reading gives the same bits; NaN and the infinities become null.
    case number(Double)
    /// A whole number.
    case integer(Int)
    /// true or false.
    case bool(Bool)
    /// null.
    case null

    /// The value, or null.
    public static func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }

    /// The value, or null.
    public static func optional(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }

    /// A 3-vector as an array.
    public static func vector(_ v: SIMD3<Double>) -> JSONValue { .array([.number(v.x), .number(v.y), .number(v.z)]) }

    /// A 3-vector as an array.
    public static func vector(_ v: SIMD3<Int>) -> JSONValue { .array([.integer(v.x), .integer(v.y), .integer(v.z)]) }

    /// The text, without a line feed at its end; pretty: two spaces a level, arrays of plain values on one line.
    public func text(pretty: Bool = false) -> String {
        var text = ""
        write(to: &text, level: pretty ? 0 : nil)
        return text
    }

    /// Equal text.
    public static func == (a: JSONValue, b: JSONValue) -> Bool { a.text() == b.text() }

    private func write(to text: inout String, level: Int?) {
        switch self {
        case .object(let members):
            JSONValue.list(members, "{", "}", &text, level) { member, text, level in
                JSONValue.quote(member.0, &text)
                text += level == nil ? ":" : ": "
                member.1.write(to: &text, level: level)
            }
        case .array(let values):
            let isFlat = values.allSatisfy { !$0.isNested }
            JSONValue.list(values, "[", "]", &text, isFlat ? nil : level, gap: level != nil) { value, text, level in
                value.write(to: &text, level: level)
            }
        case .string(let string): JSONValue.quote(string, &text)
        // Swift's description is the shortest text that reads back as the same number.
        case .number(let value): text += value.isFinite ? value.description : "null"
        case .integer(let value): text += String(value)
        case .bool(let value): text += value ? "true" : "false"
        case .null: text += "null"
        }
    }

    private var isNested: Bool {
        switch self {
        case .object, .array: true
        default: false
        }
    }

    private static func list<Item>(
        _ items: [Item], _ open: String, _ close: String, _ text: inout String, _ level: Int?, gap: Bool = false,
        _ write: (Item, inout String, Int?) -> Void
    ) {
        func line(_ level: Int) { text += "\n" + String(repeating: "  ", count: level) }
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += level == nil && gap ? ", " : "," }
            if let level { line(level + 1) }
            write(item, &text, level.map { $0 + 1 })
        }
        if let level, !items.isEmpty { line(level) }
        text += close
    }

    private static func quote(_ string: String, _ text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
