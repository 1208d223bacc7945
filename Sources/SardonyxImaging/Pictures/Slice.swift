/// One slice, turned as a picture shows it: first value top left.
struct Slice {
    let width: Int
    let height: Int
    /// Millimetres between values across and down.
    let step: (across: Double, down: Double)
    var values: [Float]
}
