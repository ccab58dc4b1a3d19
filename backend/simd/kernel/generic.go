package kernel

const genericWidth = 16

// generic is the portable set, and what the others are held against.
var generic = Set{
	name: "generic",
	rows: 4, width: genericWidth,
	tile:       tileGeneric,
	interleave: interleaveGeneric,
	peak:       peakGeneric,
}

func tileGeneric(rows int, c []float32, ldc int, a, b []float32, k, _ int, more bool) {
	for r := range rows {
		for j := 0; j < genericWidth; j += 4 {
			sum := c[r*ldc+j:][:4]
			var s0, s1, s2, s3 float32 // four at a time, so that they may stay in registers
			if more {
				s0, s1, s2, s3 = sum[0], sum[1], sum[2], sum[3]
			}
			for p := range k {
				x, w := a[p*rows+r], b[p*genericWidth+j:][:4]
				s0 += x * w[0]
				s1 += x * w[1]
				s2 += x * w[2]
				s3 += x * w[3]
			}
			sum[0], sum[1], sum[2], sum[3] = s0, s1, s2, s3
		}
	}
}

func interleaveGeneric(dst []float32, stride int, x []float32, ldx, k int) {
	for p := range k {
		for r := range 4 {
			dst[p*stride+r] = x[r*ldx+p]
		}
	}
}

func peakGeneric(turns int) int {
	var s0, s1, s2, s3 float32
	x := float32(turns)
	for range turns {
		s0 += x * x
		s1 += x * x
		s2 += x * x
		s3 += x * x
	}
	if s0+s1+s2+s3 == -1 {
		panic("a sum of squares is not negative") // the sums are used, so the compiler keeps them
	}
	return 4 * turns
}
