package kernel

// bf16Generic is the portable arithmetic of bfloat16, of tiles as wide as its float32 ones.
var bf16Generic = multiplier{
	number: BFloat16, per: 2, wide: 1,
	bf16: bf16Packing{pairs: pairsGeneric, zip: zipGeneric, row: rowBF16Generic, round: roundGeneric},
}

func pairsGeneric(dst []float32, stride int, x []float32, ldx, k int) {
	words := wordsOf(dst)
	for r := range 4 {
		row := x[r*ldx:][:k]
		for p := range k / 2 {
			words[p*stride+r] = bf16Pair(row[2*p], row[2*p+1])
		}
		if k%2 == 1 {
			words[k/2*stride+r] = bf16Pair(row[k-1], 0)
		}
	}
}

func zipGeneric(dst []float32, ldd int, x []float32, ldx, rows, columns int) {
	words := wordsOf(dst)
	for p := range rows {
		even, odd := x[2*p*ldx:][:columns], x[(2*p+1)*ldx:][:columns]
		for c := range columns {
			words[p*ldd+c] = bf16Pair(even[c], odd[c])
		}
	}
}

func roundGeneric(x []float32) {
	for i, v := range x {
		x[i] = FromBF16(BF16(v))
	}
}

// bf16TileGeneric adds the odd number's product first, as the CPU's instruction does. Products are exact in float64; rounding a sum there
// first changes nothing, for where it could, both have few enough bits to be exact.
func bf16TileGeneric(rows int, c []float32, ldc int, a, b []float32, k, _, _ int, more bool) {
	left, right := wordsOf(a), wordsOf(b)
	for r := range rows {
		for j := range genericWidth {
			var sum float32
			for p := range k {
				x, w := left[p*rows+r], right[p*genericWidth+j]
				for odd := 1; odd >= 0; odd-- {
					sum = float32(float64(sum) + float64(bf16At(x, odd))*float64(bf16At(w, odd)))
				}
			}
			if more {
				sum += c[r*ldc+j]
			}
			c[r*ldc+j] = sum
		}
	}
}
