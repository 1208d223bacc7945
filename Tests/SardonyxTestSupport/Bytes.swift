/// Bytes written as hexadecimal digits; blanks are ignored.
package func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A .npy file around a header's text, padded as numpy does it.
package func npyBytes(_ header: String, _ data: [UInt8], version: UInt8 = 1, padded: Bool = true) -> [UInt8] {
    let sizeBytes = version == 1 ? 2 : 4
    let text = Array(header.utf8)
    let padding = padded ? (64 - (8 + sizeBytes + text.count + 1) % 64) % 64 : 0
    let size = text.count + padding + 1
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + (0..<sizeBytes).map { UInt8(size >> ($0 * 8) & 0xFF) }
        + text + [UInt8](repeating: 0x20, count: padding) + [0x0A] + data
}
