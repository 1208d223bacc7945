import SardonyxGraph

/// Tells which elements of a floating-point tensor are NaN or infinite.
enum Classification {
    static let types: TypeSet = .floats + [.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz]

    struct Classes: OptionSet, Sendable {
        let rawValue: UInt8
        static let nan = Classes(rawValue: 1)
        static let positiveInfinity = Classes(rawValue: 2)
        static let negativeInfinity = Classes(rawValue: 4)
    }

    /// y[i] = 1 where x[i] is in one of the classes, else 0.
    static func kernel(_ spec: TensorSpec, finds classes: Classes) throws -> Kernel {
        if let table = SmallFloat.table(spec.dataType) {
            let found = table.map { contains($0, in: classes) ? 1 : 0 as UInt8 }
            let count = spec.elementCount
            var kernel = Kernel { frame in
                ByteLookup(x: frame.input(0), y: frame.output(0), table: found).run(count: count, on: frame.pool)
            }
            kernel.inPlace = [0: [0]]
            return kernel
        }
        return try spec.dataType.visitReal(Visitor(count: spec.elementCount, classes: classes))
    }

    @inline(__always) private static func contains<T: BinaryFloatingPoint>(_ value: T, in classes: Classes) -> Bool {
        classes.contains(.nan) && value.isNaN || classes.contains(.positiveInfinity) && value == .infinity
            || classes.contains(.negativeInfinity) && value == -.infinity
    }

    private struct Visitor: RealVisitor {
        let count: Int
        let classes: Classes

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (count, classes) = (count, classes)
            return Kernel { frame in
                Work<T>(x: frame.input(0), y: frame.output(0), classes: classes).run(count: count, on: frame.pool)
            }
        }
    }

    private struct Work<T: Real>: ChunkedWork {
        let x: UnsafePointer<T>
        let y: UnsafeMutablePointer<UInt8>
        let classes: Classes

        func run(_ range: Range<Int>) {
            for i in range { y[i] = contains(x[i].wide, in: classes) ? 1 : 0 }
        }
    }
}

/// y[i] = table[x[i]] for elements of one byte.
struct ByteLookup: ChunkedWork {
    let x: UnsafePointer<UInt8>
    let y: UnsafeMutablePointer<UInt8>
    let table: [UInt8]

    func run(_ range: Range<Int>) {
        table.withUnsafeBufferPointer { table in
            for i in range { y[i] = table[Int(x[i])] }
        }
    }
}
