package jpeg

import "image"

// picture puts the components together.
func (d *decoder) picture() image.Image {
	rect := image.Rect(0, 0, d.width, d.height)
	if len(d.components) == 1 {
		c := &d.components[0]
		return &image.Gray{Pix: c.samples, Stride: c.stride(), Rect: rect}
	}
	img := image.NewNRGBA(rect)
	convert := d.conversion()
	rows := make([]upsampled, len(d.components))
	for i := range rows {
		rows[i] = newUpsampled(&d.components[i], d.maxH/d.components[i].h, d.maxV/d.components[i].v)
	}
	var channels [4][]uint8
	for y := range d.height {
		for i := range rows {
			channels[i] = rows[i].row(y)[:d.width]
		}
		convert(img.Pix[y*img.Stride:][:4*d.width], channels)
	}
	return img
}

// An upsampled is a component at the picture's resolution, row by row.
type upsampled struct {
	*component
	h, v   int // by how much
	smooth bool
	buffer []uint8
}

// newUpsampled chooses as jinit_upsampler does: smooth where the factors are 2, unless the component is hardly wider than a sample.
func newUpsampled(c *component, h, v int) upsampled {
	u := upsampled{component: c, h: h, v: v, smooth: h == 2 && v <= 2 && c.width > 2 || h == 1 && v == 2}
	if h > 1 || v > 1 {
		u.buffer = make([]uint8, h*c.width)
	}
	return u
}

// source is row y of the samples, the last or first one beyond the edge.
func (u *upsampled) source(y int) []uint8 {
	return u.samples[min(max(y, 0), u.height-1)*u.stride():][:u.width]
}

// row is valid until the next call.
func (u *upsampled) row(y int) []uint8 {
	near := u.source(y / u.v)
	if u.h == 1 && u.v == 1 {
		return near
	}
	far := near // the row on the other side of y
	if u.v == 2 {
		far = u.source(y/2 - 1 + y%2*2)
	}
	switch {
	case !u.smooth:
		for x := range u.buffer {
			u.buffer[x] = near[x/u.h]
		}
	case u.v == 1:
		smoothAcross(u.buffer, near)
	case u.h == 1:
		smoothDown(u.buffer, near, far, 1+y%2)
	default:
		smoothBoth(u.buffer, near, far)
	}
	return u.buffer
}

// smoothAcross is h2v1_fancy_upsample: three parts of the nearer sample and one of the farther.
func smoothAcross(out, in []uint8) {
	last := len(in) - 1
	this := int(in[0])
	out[0] = in[0]
	for i, v := range in[1:] {
		next := int(v)
		o := out[2*i+1 : 2*i+3]
		o[0], o[1] = uint8((3*this+next+2)>>2), uint8((3*next+this+1)>>2)
		this = next
	}
	out[2*last+1] = in[last]
}

// smoothDown is h1v2_fancy_upsample.
func smoothDown(out, near, far []uint8, bias int) {
	far = far[:len(near)]
	for i, v := range near {
		out[i] = uint8((3*int(v) + int(far[i]) + bias) >> 2)
	}
}

// smoothBoth is h2v2_fancy_upsample.
func smoothBoth(out, near, far []uint8) {
	last := len(near) - 1
	far = far[:len(near)]
	this := 3*int(near[0]) + int(far[0])
	out[0] = uint8((4*this + 8) >> 4)
	for i := 1; i < len(near); i++ {
		next := 3*int(near[i]) + int(far[i])
		o := out[2*i-1 : 2*i+1]
		o[0], o[1] = uint8((3*this+next+7)>>4), uint8((3*next+this+8)>>4)
		this = next
	}
	out[2*last+1] = uint8((4*this + 7) >> 4)
}

// conversion chooses by default_decompress_parms' rules how the channels of a row become R, G, B, A.
func (d *decoder) conversion() func(out []uint8, c [4][]uint8) {
	ids := [3]uint8{d.components[0].id, d.components[1].id, d.components[2].id}
	switch n := len(d.components); {
	case n == 4 && d.adobe && d.transform != 0:
		return fromYCCK
	case n == 4:
		return fromCMYK
	case d.jfif:
		return fromYCC
	case d.adobe && d.transform == 0, !d.adobe && ids == [3]uint8{'R', 'G', 'B'}:
		return fromRGB
	}
	return fromYCC
}

// Products of chroma and its weights, with 16 bits after the point: half of a unit is in one of the two that are added.
var redOfCr, greenOfCr, greenOfCb, blueOfCb = func() (r, gr, gb, b [256]int32) {
	for i := range 256 {
		x := int32(i) - 128
		r[i] = (91881*x + 1<<15) >> 16
		b[i] = (116130*x + 1<<15) >> 16
		gr[i] = -46802 * x
		gb[i] = -22554*x + 1<<15
	}
	return
}()

func fromYCC(out []uint8, c [4][]uint8) {
	luma := c[0]
	cb, cr := c[1][:len(luma)], c[2][:len(luma)]
	for i, v := range luma {
		y, b, r := int32(v), cb[i], cr[i]
		o := out[4*i : 4*i+4 : 4*i+4]
		o[0], o[1], o[2], o[3] = clip(y+redOfCr[r]), clip(y+(greenOfCb[b]+greenOfCr[r])>>16), clip(y+blueOfCb[b]), 255
	}
}

func fromRGB(out []uint8, c [4][]uint8) {
	for i, r := range c[0] {
		out[4*i], out[4*i+1], out[4*i+2], out[4*i+3] = r, c[1][i], c[2][i], 255
	}
}

// fromCMYK is PIL's rule for inks stored inverted: what an ink leaves of the white that black leaves.
func fromCMYK(out []uint8, c [4][]uint8) {
	for i, k := range c[3] {
		for ink := range 3 {
			p := int(255-c[ink][i])*int(k) + 128
			out[4*i+ink] = clip(int32(int(k) - (p>>8+p)>>8))
		}
		out[4*i+3] = 255
	}
}

// fromYCCK: libjpeg makes CMYK of it first, inverted as well.
func fromYCCK(out []uint8, c [4][]uint8) {
	fromYCC(out, c)
	for i, k := range c[3] {
		for ink := range 3 {
			p := int(out[4*i+ink])*int(k) + 128
			out[4*i+ink] = clip(int32(int(k) - (p>>8+p)>>8))
		}
	}
}
