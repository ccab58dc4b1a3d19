package vision

import "image"

// fromVP8 converts the planes of a lossy WebP picture as libwebp does, bit by bit: its "fancy" upsampling of chroma (dsp/upsampling.c) and its colours,
// whose luma is 16 to 235 (dsp/yuv.h). Package webp gives the planes as if they were JPEG's, whose luma is 0 to 255.
func fromVP8(planes *image.YCbCr) *image.NRGBA {
	width, height := planes.Rect.Dx(), planes.Rect.Dy()
	to := image.NewNRGBA(image.Rect(0, 0, width, height))
	half := (width + 1) / 2
	u, v := make([]uint8, width), make([]uint8, width)
	for y := range height {
		// The chroma rows on both sides of y; beyond the edges they are the last ones.
		near, far := y/2, min(max(y/2-1+y%2*2, 0), (height-1)/2)
		upsampleVP8(u, planes.Cb[near*planes.CStride:][:half], planes.Cb[far*planes.CStride:][:half])
		upsampleVP8(v, planes.Cr[near*planes.CStride:][:half], planes.Cr[far*planes.CStride:][:half])
		out := to.Pix[y*to.Stride:][:4*width]
		for x, luma := range planes.Y[y*planes.YStride:][:width] {
			l, cb, cr := multiplyHigh(luma, 19077), u[x], v[x]
			p := out[4*x : 4*x+4 : 4*x+4]
			p[0] = clipVP8(l + multiplyHigh(cr, 26149) - 14234)
			p[1] = clipVP8(l - multiplyHigh(cb, 6419) - multiplyHigh(cr, 13320) + 8708)
			p[2] = clipVP8(l + multiplyHigh(cb, 33050) - 17685)
			p[3] = 255
		}
	}
	return to
}

func multiplyHigh(v uint8, factor int) int { return int(v) * factor >> 8 }

// clipVP8 rounds down a number with 6 bits after the point.
func clipVP8(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }

// upsampleVP8 makes a row of chroma: 9 parts of the nearest sample, 3 of the two next to it and 1 of the fourth, by way of rounded means as libwebp adds
// them.
func upsampleVP8(out, near, far []uint8) {
	out[0] = uint8((3*int(near[0]) + int(far[0]) + 2) >> 2)
	for i := 1; i < len(near); i++ {
		a, b, c, d := int(near[i-1]), int(near[i]), int(far[i-1]), int(far[i])
		sum := a + b + c + d + 8
		falling, rising := (sum+2*(b+c))>>3, (sum+2*(a+d))>>3
		out[2*i-1] = uint8((falling + a) >> 1)
		if 2*i < len(out) {
			out[2*i] = uint8((rising + b) >> 1)
		}
	}
	if last := len(near) - 1; len(out)%2 == 0 {
		out[len(out)-1] = uint8((3*int(near[last]) + int(far[last]) + 2) >> 2)
	}
}
