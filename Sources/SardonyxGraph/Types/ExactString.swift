/// A string that is equal only to one of the same code points.
///
/// Swift's own equality takes canonically equivalent texts for the same ("é" as one code point or two); ONNX's strings
/// are bytes, and two of them differ when their bytes do.
package struct ExactString: Hashable, Sendable {
    package let string: String

    package init(_ string: String) { self.string = string }

    package static func == (a: ExactString, b: ExactString) -> Bool { a.string.utf8.elementsEqual(b.string.utf8) }

    package func hash(into hasher: inout Hasher) {
        // The count ends the text, so that what is hashed next cannot run into it.
        hasher.combine(string.utf8.count)
        for byte in string.utf8 { hasher.combine(byte) }
    }
}
