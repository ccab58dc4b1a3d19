package jpeg

// Cosines as whole numbers: 13 bits after the point.
const (
	fix0298631336 = 2446
	fix0390180644 = 3196
	fix0541196100 = 4433
	fix0765366865 = 6270
	fix0899976223 = 7373
	fix1175875602 = 9633
	fix1501321110 = 12299
	fix1847759065 = 15137
	fix1961570560 = 16069
	fix2053119869 = 16819
	fix2562915447 = 20995
	fix3072711026 = 25172

	cosineBits = 13
	passBits   = 2 // that the first pass keeps
)

// transform writes the 8 × 8 samples of a block: the inverse cosine transform of its coefficients times the quantization table, of Loeffler, Ligtenberg and
// Moschytz 1989, in jidctint.c's whole numbers.
func transform(out []uint8, stride int, block *[64]int16, quant *[64]uint16) {
	var work [64]int32
	flat := true // no AC coefficient
	for x := range 8 {
		c1, c2, c3, c4, c5, c6, c7 := block[8+x], block[16+x], block[24+x], block[32+x], block[40+x], block[48+x], block[56+x]
		w := work[x : x+57]
		w0 := int32(block[x]) * int32(quant[x])
		if c1|c2|c3|c4|c5|c6|c7 == 0 {
			w0 <<= passBits
			w[0], w[8], w[16], w[24], w[32], w[40], w[48], w[56] = w0, w0, w0, w0, w0, w0, w0, w0
			flat = flat && (x == 0 || w0 == 0)
			continue
		}
		flat = false
		q := quant[x : x+57]
		const half = 1 << (cosineBits - passBits - 1)
		e0, e1, e2, e3, o0, o1, o2, o3 := butterfly(w0, int32(c1)*int32(q[8]), int32(c2)*int32(q[16]), int32(c3)*int32(q[24]),
			int32(c4)*int32(q[32]), int32(c5)*int32(q[40]), int32(c6)*int32(q[48]), int32(c7)*int32(q[56]), half)
		const shift = cosineBits - passBits
		w[0], w[56] = (e0+o3)>>shift, (e0-o3)>>shift
		w[8], w[48] = (e1+o2)>>shift, (e1-o2)>>shift
		w[16], w[40] = (e2+o1)>>shift, (e2-o1)>>shift
		w[24], w[32] = (e3+o0)>>shift, (e3-o0)>>shift
	}
	if flat {
		v := sample((work[0] + 1<<(passBits+2)) >> (passBits + 3))
		for range 8 {
			o := out[:8]
			o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = v, v, v, v, v, v, v, v
			out = out[min(stride, len(out)):]
		}
		return
	}
	for y := range 8 {
		w := work[8*y : 8*y+8]
		const shift = cosineBits + passBits + 3
		e0, e1, e2, e3, o0, o1, o2, o3 := butterfly(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], 1<<(shift-1))
		o := out[:8]
		o[0], o[7] = sample((e0+o3)>>shift), sample((e0-o3)>>shift)
		o[1], o[6] = sample((e1+o2)>>shift), sample((e1-o2)>>shift)
		o[2], o[5] = sample((e2+o1)>>shift), sample((e2-o1)>>shift)
		o[3], o[4] = sample((e3+o0)>>shift), sample((e3-o0)>>shift)
		out = out[min(stride, len(out)):]
	}
}

// butterfly is one row or column: the even part e and the odd part o, so that e0±o3, e1±o2, e2±o1 and e3±o0 are the results; half is for rounding.
func butterfly(c0, c1, c2, c3, c4, c5, c6, c7, half int32) (e0, e1, e2, e3, o0, o1, o2, o3 int32) {
	z1 := (c2 + c6) * fix0541196100
	t2, t3 := z1-c6*fix1847759065, z1+c2*fix0765366865
	t0, t1 := (c0+c4)<<cosineBits+half, (c0-c4)<<cosineBits+half
	e0, e3, e1, e2 = t0+t3, t0-t3, t1+t2, t1-t2

	z5 := (c7 + c3 + c5 + c1) * fix1175875602
	z3, z4 := z5-(c7+c3)*fix1961570560, z5-(c5+c1)*fix0390180644
	z1, z2 := -(c7+c1)*fix0899976223, -(c5+c3)*fix2562915447
	o0 = c7*fix0298631336 + z1 + z3
	o1 = c5*fix2053119869 + z2 + z4
	o2 = c3*fix3072711026 + z2 + z3
	o3 = c1*fix1501321110 + z1 + z4
	return e0, e1, e2, e3, o0, o1, o2, o3
}

// sample is a value around 0 as 0 to 255.
func sample(v int32) uint8 { return clip(v + 128) }

func clip(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31))
	}
	return uint8(v)
}
