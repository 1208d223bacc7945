import Glibc

/// A number with a fixed count of digits after the point.
func fixed(_ value: Double, _ digits: Int = 3) -> String { formatted("%.\(digits)f", value) }

/// A number with at most this many significant digits.
func significant(_ value: Double, _ digits: Int = 4) -> String { formatted("%.\(digits)g", value) }

private func formatted(_ format: String, _ value: Double) -> String {
    withVaList([value]) { arguments in
        var buffer = [CChar](repeating: 0, count: 400)
        vsnprintf(&buffer, buffer.count, format, arguments)
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A count with thousands apart: 1,234,567.
func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (value < 0 ? "-" : "") + text
}

/// A size as people read it: `1.5 MB` (1 MB = 1,048,576 bytes).
func byteText(_ bytes: Int) -> String {
    if bytes < 1 << 10 { return "\(bytes) bytes" }
    if bytes < 1 << 20 { return fixed(Double(bytes) / 1024, 1) + " KB" }
    return fixed(Double(bytes) / 1_048_576, 1) + " MB"
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
