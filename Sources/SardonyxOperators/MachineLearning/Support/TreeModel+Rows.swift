import SardonyxGraph

extension TreeModel {
    /// A kernel that gives the scores of the rows of input 0, after the transform, as output 0.
    static func kernel(
        _ context: PreparationContext, _ transform: PostTransform, _ make: () throws -> TreeModel
    ) throws -> Kernel {
        let model = try context.derived(make)
        var kernel = try model.value.kernel(
            context.input(0), context.output(0).dataType, transform, workers: context.workers)
        // The plan keeps the model, so that the next one finds it.
        let run = kernel.run
        kernel.replaceRun { frame in try withExtendedLifetime(model) { try run(frame) } }
        return kernel
    }

    /// A kernel for rows like `x`.
    func kernel(_ x: TensorSpec, _ output: DataType, _ transform: PostTransform, workers: Int) throws -> Kernel {
        let features = try FeatureRows(x.shape)
        guard features.columns >= featureCount else {
            throw SardonyxError(
                .invalidModel, "X has \(features.columns) features; the model reads feature \(featureCount - 1)")
        }
        if features.rows == 0 { return Kernel { _ in } }
        let tiles = Tiles(self, features)
        let walk = try x.dataType.visitNumber(WalkVisitor(model: self, tiles: tiles))
        let finish = try output.visitReal(FinishVisitor(model: self, tiles: tiles, transform: transform))
        var kernel: Kernel
        if tiles.groups == 1 {
            let loop = ParallelLoop(chunks: tiles.blocks) { frame, block, worker in
                let scores = frame.scratch(0, as: Double.self) + worker * tiles.stride
                walk(frame, block, 0, scores)
                for row in tiles.rows(of: block) {
                    finish(frame, row, scores + (row - block * tiles.rowsPerBlock) * scoreCount)
                }
            }
            kernel = Kernel { loop.run($0) }
            kernel.workspaceByteCount = max(workers, 1) * tiles.stride * MemoryLayout<Double>.stride
        } else {
            let first = ParallelLoop(chunks: tiles.blocks * tiles.groups) { frame, tile, _ in
                let scores = frame.scratch(0, as: Double.self) + tile * tiles.stride
                walk(frame, tile / tiles.groups, tile % tiles.groups, scores)
            }
            let second = ParallelLoop(count: features.rows, grain: 64) { frame, rows in
                for row in rows {
                    let (block, own) = row.quotientAndRemainder(dividingBy: tiles.rowsPerBlock)
                    let scores = frame.scratch(0, as: Double.self) + block * tiles.groups * tiles.stride
                    for group in 1..<tiles.groups { combine(scores, scores + group * tiles.stride, own, tiles) }
                    finish(frame, row, scores + own * scoreCount)
                }
            }
            kernel = Kernel {
                first.run($0)
                second.run($0)
            }
            kernel.workspaceByteCount = tiles.blocks * tiles.groups * tiles.stride * MemoryLayout<Double>.stride
        }
        kernel.packedWeights = [storage]
        return kernel
    }

    /// The scores of all rows of input 0, before any transform.
    func scores(_ context: EvaluationContext) throws -> (rows: Int, scores: [Double]) {
        let x = try context.tensor(0)
        let rows = try FeatureRows(x.shape).rows
        let kernel = try kernel(x.spec, .double, .none, workers: context.environment.workers)
        let spec = TensorSpec(dataType: .double, shape: [rows, scoreCount])
        try context.environment.admit(spec)
        let results = try kernel.evaluate(inputs: [x], outputs: [spec], environment: context.environment)
        return (rows, results[0]?.scalars() ?? [])
    }

    /// Adds the scores of a row from a later group of trees to those of the earlier ones.
    private func combine(
        _ scores: UnsafeMutablePointer<Double>, _ other: UnsafeMutablePointer<Double>, _ row: Int, _ tiles: Tiles
    ) {
        for i in row * scoreCount..<(row + 1) * scoreCount {
            switch aggregation {
            case .sum, .average: scores[i] += other[i]
            case .min, .max:
                let seen = i + tiles.seenStart
                if other[seen] != 0 {
                    let isFirst = scores[seen] == 0
                    scores[i] =
                        isFirst ? other[i] : aggregation == .min ? min(scores[i], other[i]) : max(scores[i], other[i])
                    scores[seen] = 1
                }
            }
        }
    }

    /// How the work is cut, by the shape alone: blocks of rows, so that a tree that has come to the cache serves many of them,
    /// and where there are few blocks also groups of trees.
    struct Tiles: Sendable {
        let features: FeatureRows
        let rowsPerBlock: Int
        let blocks: Int
        let groups: Int
        /// Numbers of a tile: scores, then for the least and the largest whether there is one yet.
        let stride: Int
        let seenStart: Int

        init(_ model: TreeModel, _ features: FeatureRows) {
            self.features = features
            rowsPerBlock = max(1, min(256, min(features.rows, 1 << 14 / model.scoreCount)))
            blocks = (features.rows - 1) / rowsPerBlock + 1
            seenStart = rowsPerBlock * model.scoreCount
            stride = seenStart * (model.aggregation == .min || model.aggregation == .max ? 2 : 1)
            let (trees, work) = (model.roots.count, model.roots.count.multipliedReportingOverflow(by: features.rows))
            let most = 1 << 22 / max(1, blocks * stride)
            let isSmall = !work.overflow && work.partialValue < 512
            groups = isSmall || blocks >= 16 ? 1 : max(1, min((trees + 7) / 8, 32 / blocks, most))
        }

        func rows(of block: Int) -> Range<Int> {
            block * rowsPerBlock..<min((block + 1) * rowsPerBlock, features.rows)
        }
    }

    /// Fills a tile with the scores of a block of rows from a group of trees.
    private typealias WalkTile =
        @Sendable (_ frame: Frame, _ block: Int, _ group: Int, _ scores: UnsafeMutablePointer<Double>) -> Void

    private struct WalkVisitor: NumberVisitor {
        let model: TreeModel
        let tiles: Tiles

        func visit<X: Number>(_ type: X.Type) throws -> WalkTile {
            let (model, tiles) = (model, tiles)
            return { frame, block, group, scores in
                let x = frame.input(0, as: X.self)
                if model.isUniform {
                    Walk<X, AtMostTest>(model: model, x: x, tiles: tiles).fill(block, group, scores)
                } else {
                    Walk<X, AnyTest>(model: model, x: x, tiles: tiles).fill(block, group, scores)
                }
            }
        }
    }

    private struct FinishVisitor: RealVisitor {
        let model: TreeModel
        let tiles: Tiles
        let transform: PostTransform

        func visit<Y: Real>(_ type: Y.Type) throws
            -> @Sendable (_ frame: Frame, _ row: Int, _ scores: UnsafeMutablePointer<Double>) -> Void
        {
            let (model, transform, count) = (model, transform, model.scoreCount)
            return { frame, row, scores in
                for i in 0..<count {
                    if model.aggregation == .average { scores[i] /= Double(model.roots.count) }
                    if !model.base.isEmpty { scores[i] += model.base[i] }
                }
                transform.apply(scores, count: count)
                let y = frame.output(0, as: Y.self) + row * count
                for i in 0..<count { y[i] = Y.converting(scores[i]) }
            }
        }
    }
}

private protocol BranchTest {
    static func passes(_ branch: TreeModel.Branch, _ x: Double, _ model: TreeModel) -> Bool
}

private enum AtMostTest: BranchTest {
    @inline(__always)
    static func passes(_ branch: TreeModel.Branch, _ x: Double, _ model: TreeModel) -> Bool { x <= branch.threshold }
}

private enum AnyTest: BranchTest {
    @inline(__always)
    static func passes(_ branch: TreeModel.Branch, _ x: Double, _ model: TreeModel) -> Bool {
        if x.isNaN && branch.tracksMissing { return true }
        switch branch.mode {
        case .lessOrEqual: return x <= branch.threshold
        case .less: return x < branch.threshold
        case .greaterOrEqual: return x >= branch.threshold
        case .greater: return x > branch.threshold
        case .equal: return x == branch.threshold
        case .notEqual: return x != branch.threshold
        case .member: return model.sets[Int(branch.threshold)].contains { model.members[$0] == x }
        }
    }
}

/// Four walks at a time, since each step of one waits for the memory that the step before it named.
private struct Walk<X: Number, Test: BranchTest> {
    let model: TreeModel
    let x: UnsafePointer<X>
    let tiles: TreeModel.Tiles

    @inline(__always)
    private func row(_ number: Int) -> UnsafePointer<X> { x + number * tiles.features.columns }

    @inline(__always)
    private func step(_ link: inout Int32, _ row: UnsafePointer<X>) {
        guard link >= 0 else { return }
        let branch = model.branches[Int(link)]
        let passes = Test.passes(branch, row[Int(branch.feature)].double, model)
        link = passes ? branch.whenTrue : branch.whenFalse
    }

    @inline(__always)
    private func walk(
        _ links: inout (Int32, Int32, Int32, Int32),
        _ rows: (UnsafePointer<X>, UnsafePointer<X>, UnsafePointer<X>, UnsafePointer<X>)
    ) {
        while links.0 & links.1 & links.2 & links.3 >= 0 {
            step(&links.0, rows.0)
            step(&links.1, rows.1)
            step(&links.2, rows.2)
            step(&links.3, rows.3)
        }
    }

    private func add(_ link: Int32, _ scores: UnsafeMutablePointer<Double>) {
        let leaf = Int(~link)
        for index in Int(model.leafStarts[leaf])..<Int(model.leafStarts[leaf + 1]) {
            let weight = model.weights[index]
            let target = Int(weight.target)
            switch model.aggregation {
            case .sum, .average: scores[target] += weight.value
            case .min, .max:
                let isFirst = scores[target + tiles.seenStart] == 0
                scores[target + tiles.seenStart] = 1
                let best =
                    model.aggregation == .min ? min(scores[target], weight.value) : max(scores[target], weight.value)
                scores[target] = isFirst ? weight.value : best
            }
        }
    }

    func fill(_ block: Int, _ group: Int, _ scores: UnsafeMutablePointer<Double>) {
        scores.update(repeating: 0, count: tiles.stride)
        let rows = tiles.rows(of: block)
        let trees = model.roots.count * group / tiles.groups..<model.roots.count * (group + 1) / tiles.groups
        let count = model.scoreCount
        model.roots.withUnsafeBufferPointer { roots in
            if rows.count < 4 {
                for number in rows {
                    let target = scores + (number - rows.lowerBound) * count
                    for tree in stride(from: trees.lowerBound, to: trees.upperBound, by: 4) {
                        // What is missing to four counts as at its end.
                        func root(_ i: Int) -> Int32 { tree + i < trees.upperBound ? roots[tree + i] : -1 }
                        var links = (root(0), root(1), root(2), root(3))
                        let row = row(number)
                        walk(&links, (row, row, row, row))
                        add(links.0, target)
                        if tree + 1 < trees.upperBound { add(links.1, target) }
                        if tree + 2 < trees.upperBound { add(links.2, target) }
                        if tree + 3 < trees.upperBound { add(links.3, target) }
                    }
                }
                return
            }
            for tree in trees {
                let root = roots[tree]
                for number in stride(from: rows.lowerBound, to: rows.upperBound, by: 4) {
                    let last = rows.upperBound - 1
                    let numbers = (number, min(number + 1, last), min(number + 2, last), min(number + 3, last))
                    var links = (root, root, root, root)
                    walk(&links, (row(numbers.0), row(numbers.1), row(numbers.2), row(numbers.3)))
                    let target = scores + (number - rows.lowerBound) * count
                    add(links.0, target)
                    if number + 1 <= last { add(links.1, target + count) }
                    if number + 2 <= last { add(links.2, target + 2 * count) }
                    if number + 3 <= last { add(links.3, target + 3 * count) }
                }
            }
        }
    }
}
