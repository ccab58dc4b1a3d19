package kernel

// Products describes many small products of one shape, as attention has them: C = scale · A·B for each head of each
// element of a batch, with A [m, k], C [m, n] and B [k, n] or, transposed, [n, k].
type Products struct {
	M, N, K int
	B       Layout  // InputsOutputs is [k, n], OutputsInputs is [n, k]
	Scale   float32 // 0 stands for 1

	// Pair i is number i mod Inner of element i div Inner: a head of an element of a batch.
	Inner                     int
	StrideA, StrideB, StrideC Strides
}

// Strides says where the matrices of many products lie: distances in values.
type Strides struct {
	Row   int // from one row to the next
	Inner int // from one matrix to the next of an element
	Outer int // from one element to the next
}

// at is where matrix i begins.
func (s Strides) at(i, inner int) int { return i/inner*s.Outer + i%inner*s.Inner }

// ProductsScratch is how many values [Set.Multiply] needs for itself.
func (s *Set) ProductsScratch(p *Products) int {
	return s.PackedLen(p.K, p.N) + s.LeftLen(p.M, p.K) + len(Scratch{})
}

// Multiply computes pairs from ≤ i < to. scratch has [Set.ProductsScratch] values, of this goroutine alone.
func (s *Set) Multiply(c, a, b []float32, p *Products, from, to int, scratch []float32) {
	if len(scratch) < s.ProductsScratch(p) {
		panic("kernel.Multiply: scratch is too short")
	}
	tile := (*Scratch)(scratch)
	scratch = scratch[len(tile):]
	size := s.LeftLen(p.M, p.K)
	left := scratch[:size]
	right := s.newPacked(scratch[size:], p.K, p.N)
	for i := from; i < to; i++ {
		right.Pack(b[p.StrideB.at(i, p.Inner):], p.StrideB.Row, p.B, 0, right.Panels())
		s.PackLeft(left, a[p.StrideA.at(i, p.Inner):], p.StrideA.Row, p.M, p.K, 0, s.LeftTiles(p.M))
		right.Mul(c[p.StrideC.at(i, p.Inner):], p.StrideC.Row, left, p.M, 0, right.Panels(), Epilogue{Scale: p.Scale}, tile)
	}
}

// ShortProductsScratch is how many values [Set.MultiplyBF16] needs for itself.
func (s *Set) ShortProductsScratch(p *Products) int {
	return s.PackedLen(p.K, p.N) + s.LeftLen(p.M, p.K) + max(s.ShortScratch(p.M), LeftScratch)
}

// MultiplyBF16 is [Set.Multiply] of bfloat16 numbers, as their 16 bits, with results that are rounded once, for a set of that type. Where turned, A lies
// as [k, m], rows StrideA.Row apart. scratch has [Set.ShortProductsScratch] values, of this goroutine alone.
func (s *Set) MultiplyBF16(c, a, b []uint16, p *Products, turned bool, from, to int, scratch []float32) {
	if len(scratch) < s.ShortProductsScratch(p) {
		panic("kernel.MultiplyBF16: scratch is too short")
	}
	own := scratch[:max(s.ShortScratch(p.M), LeftScratch)]
	scratch = scratch[len(own):]
	size := s.LeftLen(p.M, p.K)
	left := scratch[:size]
	right := s.newPacked(scratch[size:], p.K, p.N)
	for i := from; i < to; i++ {
		right.PackBF16(b[p.StrideB.at(i, p.Inner):], p.StrideB.Row, p.B, 0, right.Panels())
		if x := a[p.StrideA.at(i, p.Inner):]; turned {
			s.PackLeftColumnsBF16(left, x, p.StrideA.Row, p.M, p.K, 0, s.LeftTiles(p.M), own)
		} else {
			s.PackLeftBF16(left, x, p.StrideA.Row, p.M, p.K, 0, s.LeftTiles(p.M), own)
		}
		right.MulBF16(c[p.StrideC.at(i, p.Inner):], p.StrideC.Row, left, p.M, 0, right.Panels(), Epilogue{Scale: p.Scale}, own)
	}
}
