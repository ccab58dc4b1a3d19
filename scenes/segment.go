package scenes

import "image"

// A figure is what stands out from the ground in one place.
type figure struct {
	box    image.Rectangle
	inside []bool // [box height, box width]: what its outline encloses, and the outline
	pixels int    // how many are inside
}

// solid reports whether a pixel can be part of an object's outline, or its colour: what is light is ground, or within an outline.
func solid(p []uint8) bool { return min(p[0], p[1], p[2]) < 165 }

// segment finds the figures of a picture, but for specks: what is connected, also by corners, and all that it encloses.
func segment(picture *image.RGBA) []figure {
	width, height := picture.Rect.Dx(), picture.Rect.Dy()
	left := make([]bool, width*height) // solid pixels of no figure yet
	for y := range height {
		row := picture.Pix[y*picture.Stride:][:4*width]
		for x := range width {
			left[y*width+x] = solid(row[4*x:][:3])
		}
	}
	// An object's box has a fifteenth of the picture's shorter side in both directions.
	speck := max(min(width, height)/15, 3)
	var found []figure
	var members []int // of the figure under way, a queue
	for start := range left {
		if !left[start] {
			continue
		}
		left[start] = false
		members = append(members[:0], start)
		box := image.Rectangle{Min: image.Pt(width, height)}
		for i := 0; i < len(members); i++ {
			x, y := members[i]%width, members[i]/width
			box.Min.X, box.Min.Y = min(box.Min.X, x), min(box.Min.Y, y)
			box.Max.X, box.Max.Y = max(box.Max.X, x+1), max(box.Max.Y, y+1)
			for v := max(y-1, 0); v < min(y+2, height); v++ {
				for u := max(x-1, 0); u < min(x+2, width); u++ {
					if at := v*width + u; left[at] {
						left[at] = false
						members = append(members, at)
					}
				}
			}
		}
		if box.Dx() >= speck && box.Dy() >= speck {
			found = append(found, enclose(box, members, width))
		}
	}
	return outermost(found)
}

// enclose makes a figure of the pixels at members, and of all that cannot be reached from outside without crossing them.
func enclose(box image.Rectangle, members []int, width int) figure {
	w, h := box.Dx(), box.Dy()
	// A border of one pixel is outside; a walk from there meets all that is.
	stride := w + 2
	const (
		unknown = iota
		line
		outside
	)
	state := make([]uint8, stride*(h+2))
	for _, at := range members {
		state[(at/width-box.Min.Y+1)*stride+at%width-box.Min.X+1] = line
	}
	queue := []int{0}
	state[0] = outside
	for len(queue) > 0 {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		visit := func(next int) {
			if state[next] == unknown {
				state[next] = outside
				queue = append(queue, next)
			}
		}
		if at%stride > 0 {
			visit(at - 1)
		}
		if at%stride < stride-1 {
			visit(at + 1)
		}
		if at >= stride {
			visit(at - stride)
		}
		if at+stride < len(state) {
			visit(at + stride)
		}
	}
	f := figure{box: box, inside: make([]bool, w*h)}
	for y := range h {
		for x := range w {
			if state[(y+1)*stride+x+1] != outside {
				f.inside[y*w+x] = true
				f.pixels++
			}
		}
	}
	return f
}

// outermost leaves out what lies within another figure's box and shape: a window is no object.
func outermost(found []figure) []figure {
	var kept []figure
	for i, f := range found {
		within := false
		for j, g := range found {
			if i != j && f.box.In(g.box) && g.pixels > f.pixels && g.has(f.box.Min.Add(f.box.Size().Div(2))) {
				within = true
				break
			}
		}
		if !within {
			kept = append(kept, f)
		}
	}
	return kept
}

// has reports whether a pixel of the picture is inside.
func (f figure) has(at image.Point) bool {
	return at.In(f.box) && f.inside[(at.Y-f.box.Min.Y)*f.box.Dx()+at.X-f.box.Min.X]
}

// whole is a figure that covers the picture, and in which the figures found are inside.
func whole(picture *image.RGBA, found []figure) figure {
	f := figure{box: picture.Rect, inside: make([]bool, picture.Rect.Dx()*picture.Rect.Dy())}
	for _, g := range found {
		for i, in := range g.inside {
			if at := (g.box.Min.Y+i/g.box.Dx())*f.box.Dx() + g.box.Min.X + i%g.box.Dx(); in && !f.inside[at] {
				f.inside[at] = true
				f.pixels++
			}
		}
	}
	return f
}

// place is the figure's box in 0..1 of the picture.
func (f figure) place(picture image.Rectangle) []float32 {
	w, h := float32(picture.Dx()), float32(picture.Dy())
	return []float32{float32(f.box.Min.X) / w, float32(f.box.Min.Y) / h, float32(f.box.Max.X) / w, float32(f.box.Max.Y) / h}
}
