import COnnxReader
import SardonyxGraph

/// An open model file; closing waits until the last tensor that aliases its bytes is gone.
package final class ModelHandle: MappedOwner, @unchecked Sendable {
    let pointer: UnsafeMutablePointer<sdx_model>

    init(_ pointer: UnsafeMutablePointer<sdx_model>) { self.pointer = pointer }
    deinit { sdx_model_close(pointer) }

    package func releaseAllPages() { sdx_model_release_all_pages(pointer) }

    package func releasePages(_ bytes: UnsafeRawBufferPointer) {
        sdx_model_release_pages(pointer, bytes.baseAddress, bytes.count)
    }
}

extension sdx_string {
    /// The text; bytes that are no UTF-8 become U+FFFD.
    var text: String {
        // SAFETY: the reader keeps the bytes for as long as the model is open.
        String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
    }
}

extension sdx_int64s {
    var array: [Int64] { Array(UnsafeBufferPointer(start: data, count: count)) }
}

extension sdx_floats {
    var array: [Float] { Array(UnsafeBufferPointer(start: data, count: count)) }
}

extension SardonyxError {
    /// The reader's error in the project's own words and codes.
    init(_ error: sdx_error) {
        var error = error
        var text = String(cString: sdx_error_message(&error))
        if error.offset >= 0 { text += " (at byte \(error.offset))" }
        let code: Code =
            switch error.code {
            case SDX_ERROR_CANNOT_OPEN: .file
            case SDX_ERROR_OUT_OF_MEMORY: .memory
            default: .malformed
            }
        self.init(code, text)
    }
}

/// Calls `body(0)`, `body(1)` … and gathers what it returns.
func gather<T>(_ count: Int, _ body: (Int) throws -> T) rethrows -> [T] {
    var result: [T] = []
    result.reserveCapacity(count)
    for index in 0..<count { result.append(try body(index)) }
    return result
}
