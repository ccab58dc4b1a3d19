package vision

import "image"

// apply turns and mirrors a picture, an *image.Gray or *image.NRGBA. What is upright is returned as it is.
func (o orientation) apply(img image.Image) image.Image {
	if o <= upright {
		return img
	}
	size := img.Bounds().Size()
	if o >= 5 { // rows become columns
		size.X, size.Y = size.Y, size.X
	}
	switch img := img.(type) {
	case *image.Gray:
		to := image.NewGray(image.Rectangle{Max: size})
		o.move(to.Pix, img.Pix, img.Stride, size, 1)
		return to
	case *image.NRGBA:
		to := image.NewNRGBA(image.Rectangle{Max: size})
		o.move(to.Pix, img.Pix, img.Stride, size, 4)
		return to
	}
	panic("vision: a picture that is neither Gray nor NRGBA")
}

// move writes a picture of that size, row by row, of so many bytes a pixel, from the stored pixels.
func (o orientation) move(to, from []uint8, stride int, size image.Point, bytes int) {
	right, down := bytes, stride // what a step in the stored picture is
	w, h := size.X, size.Y
	if o >= 5 {
		w, h = h, w
	}
	mirrored, flipped := (w-1)*right, (h-1)*down // its last column and row
	var start, across, along int                 // where the first pixel is, and the steps to the next column and row
	switch o {
	case 2:
		start, across, along = mirrored, -right, down
	case 3:
		start, across, along = mirrored+flipped, -right, -down
	case 4:
		start, across, along = flipped, right, -down
	case 5:
		start, across, along = 0, down, right
	case 6:
		start, across, along = flipped, -down, right
	case 7:
		start, across, along = mirrored+flipped, -down, -right
	case 8:
		start, across, along = mirrored, down, -right
	}
	for range size.Y {
		at := start
		for range size.X {
			if bytes == 1 {
				to[0] = from[at]
			} else {
				*(*[4]uint8)(to) = [4]uint8(from[at:])
			}
			to = to[bytes:]
			at += across
		}
		start += along
	}
}
