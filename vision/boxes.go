package vision

import "fmt"

// NormalizeBoxes turns boxes x1, y1, x2, y2 in pixels ([regions, 4], row-major) into
// fractions of a picture of that size, as Regions want them: x by width, y by height, in
// float32 as LXMERT does. The boxes given are not changed, nor are those that leave the
// picture; Check finds them. The error says that size or number is impossible.
func NormalizeBoxes(pixels []float32, size Size) ([]float32, error) {
	if size.Width <= 0 || size.Height <= 0 {
		return nil, fmt.Errorf("the picture's size is %d × %d pixels, want both above 0 to divide boxes by", size.Width, size.Height)
	}
	if len(pixels)%4 != 0 {
		return nil, fmt.Errorf("%d numbers in boxes, want 4 for each", len(pixels))
	}
	out := make([]float32, len(pixels))
	for i, v := range pixels {
		by := size.Width
		if i%2 == 1 {
			by = size.Height
		}
		out[i] = v / float32(by)
	}
	return out, nil
}
