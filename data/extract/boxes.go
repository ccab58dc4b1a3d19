package extract

import (
	"encoding/json"
	"fmt"
	"image"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"github.com/go-lxmert/lxmert/internal/jsonstream"
	"github.com/go-lxmert/lxmert/vision"
)

// Boxes are given for pictures, instead of letting an extractor find them.
type Boxes struct {
	path string
	byID map[string][]float32 // [regions, 4] of x1, y1, x2, y2 in pixels
	bad  map[string]error     // images one of whose boxes is none
}

// ReadBoxes reads boxes from JSON: objects {"image id": [[x1, y1, x2, y2], ...]}, one for all images or one on each line, in pixels of the upright
// picture; or COCO's annotations, whose bbox is x, y, width, height, and whose images have their file_name's id, with pathIDs as Find has them. The error
// says where the file is of another form; a box that is empty is a fault of its picture alone.
func ReadBoxes(path string, pathIDs bool) (*Boxes, error) {
	r, err := jsonstream.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readBoxes(r, pathIDs)
}

func readBoxes(r *jsonstream.Reader, pathIDs bool) (*Boxes, error) {
	b := &Boxes{path: r.Path(), byID: map[string][]float32{}, bad: map[string]error{}}
	if _, err := r.Begins(); err != nil {
		return nil, err
	}
	var coco *cocoReader
	err := r.Values(func(i int) error {
		return r.Members(func(key string) error {
			switch {
			case i == 0 && coco == nil && b.Len() == 0 && (key == "images" || key == "annotations" || key == "info" || key == "licenses" || key == "categories"):
				coco = &cocoReader{names: map[string]string{}, boxes: map[string][]float32{}, bad: map[string]error{}, ids: (&Pictures{pathIDs: pathIDs}).idOf}
			case coco == nil:
				return b.list(r, key)
			}
			if err := coco.member(r, key); err != nil {
				return fmt.Errorf("%s: %w", r.Path(), err)
			}
			return nil
		})
	})
	if err == nil && coco != nil {
		err = coco.join(b)
	}
	if err == nil && b.Len() == 0 {
		err = fmt.Errorf("%s: found no boxes, want {\"image id\": [[x1, y1, x2, y2], ...]} or COCO's annotations", r.Path())
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// list reads one image's boxes.
func (b *Boxes) list(r *jsonstream.Reader, id string) error {
	if b.byID[id] != nil || b.bad[id] != nil {
		return fmt.Errorf("%s: boxes of image %q are there twice, want each image once", b.path, id)
	}
	var numbers [][]float64
	if err := r.Decode(&numbers); err != nil {
		return fmt.Errorf("%s: boxes of image %q: want [[x1, y1, x2, y2], ...]: %w", b.path, id, err)
	}
	var all []float32
	for i, box := range numbers {
		if len(box) != 4 {
			return fmt.Errorf("%s: boxes of image %q: box %d has %d numbers, want x1, y1, x2, y2", b.path, id, i, len(box))
		}
		var err error
		if all, err = appendBox(all, box[0], box[1], box[2], box[3]); err != nil {
			b.bad[id] = fmt.Errorf("%s: %w", b.path, err)
			return nil
		}
	}
	if len(all) == 0 {
		b.bad[id] = fmt.Errorf("%s has a list of no boxes for image %s", b.path, id)
		return nil
	}
	b.byID[id] = all
	return nil
}

// appendBox appends a box that may be one of some picture.
func appendBox(all []float32, x1, y1, x2, y2 float64) ([]float32, error) {
	i := len(all) / 4
	const farthest = 1 << 24 // float32 has all whole numbers up to it
	for _, v := range []float64{x1, y1, x2, y2} {
		if !(math.Abs(v) <= farthest) {
			return nil, fmt.Errorf("box %d is %v, want pixels of a picture", i, []float64{x1, y1, x2, y2})
		}
	}
	if !(float32(x1) < float32(x2) && float32(y1) < float32(y2)) {
		return nil, fmt.Errorf("box %d is %v, want x1 < x2 and y1 < y2", i, []float64{x1, y1, x2, y2})
	}
	if i >= vision.MaxRegions {
		return nil, fmt.Errorf("there are more than %d", vision.MaxRegions)
	}
	return append(all, float32(x1), float32(y1), float32(x2), float32(y2)), nil
}

// A cocoReader gathers COCO's images and annotations, which may come in any order.
type cocoReader struct {
	names map[string]string    // file names by COCO's image ids
	boxes map[string][]float32 // by COCO's image ids
	bad   map[string]error     // by COCO's image ids
	order []string             // of the images
	ids   func(path string) (string, error)
}

func (c *cocoReader) member(r *jsonstream.Reader, key string) error {
	switch key {
	case "images":
		return r.Elements(func(i int) error {
			var of struct {
				ID   json.RawMessage `json:"id"`
				Name string          `json:"file_name"`
			}
			if err := r.Decode(&of); err != nil {
				return fmt.Errorf("images: entry %d: %w", i, err)
			}
			if len(of.ID) == 0 || of.Name == "" {
				return fmt.Errorf("images: entry %d: want id and file_name", i)
			}
			if _, ok := c.names[string(of.ID)]; ok {
				return fmt.Errorf("images: entry %d: id %.40s is there twice", i, of.ID)
			}
			c.names[string(of.ID)] = of.Name
			c.order = append(c.order, string(of.ID))
			return nil
		})
	case "annotations":
		return r.Elements(func(i int) error {
			var of struct {
				Image json.RawMessage `json:"image_id"`
				Box   []float64       `json:"bbox"`
			}
			if err := r.Decode(&of); err != nil {
				return fmt.Errorf("annotations: entry %d: %w", i, err)
			}
			if len(of.Image) == 0 || len(of.Box) != 4 {
				return fmt.Errorf("annotations: entry %d: want image_id and bbox, [x, y, width, height]", i)
			}
			image := string(of.Image)
			all, err := appendBox(c.boxes[image], of.Box[0], of.Box[1], of.Box[0]+of.Box[2], of.Box[1]+of.Box[3])
			if err != nil {
				c.bad[image] = fmt.Errorf("annotations: entry %d: %w", i, err)
				return nil
			}
			c.boxes[image] = all
			return nil
		})
	}
	return r.Skip()
}

// join gives each image its boxes.
func (c *cocoReader) join(b *Boxes) error {
	for _, image := range c.order {
		boxes, bad := c.boxes[image], c.bad[image]
		delete(c.boxes, image)
		delete(c.bad, image)
		if boxes == nil && bad == nil {
			continue
		}
		name := c.names[image]
		id, err := c.ids(filepath.ToSlash(name))
		if err != nil {
			return fmt.Errorf("%s: images: %q: %w", b.path, name, err)
		}
		if b.byID[id] != nil || b.bad[id] != nil {
			return fmt.Errorf("%s: images: %q: its id would be %s, as that of another: let ids be paths (--id path)", b.path, name, id)
		}
		if bad != nil {
			b.bad[id] = fmt.Errorf("%s: %w", b.path, bad)
		} else {
			b.byID[id] = boxes
		}
	}
	for _, image := range append(slices.Collect(maps.Keys(c.boxes)), slices.Collect(maps.Keys(c.bad))...) {
		return fmt.Errorf("%s: annotations are of image_id %.40s, which is not among the images", b.path, image)
	}
	return nil
}

// Len is the number of pictures that something is said of.
func (b *Boxes) Len() int { return len(b.byID) + len(b.bad) }

// of are the boxes of a picture.
func (b *Boxes) of(id string) ([]float32, error) {
	if err := b.bad[id]; err != nil {
		return nil, err
	}
	boxes, ok := b.byID[id]
	if !ok {
		return nil, fmt.Errorf("%s has no boxes for image %s", b.path, id)
	}
	return boxes, nil
}

// fit cuts boxes at a picture's edge where they leave it by a pixel at most, which is rounding, and refuses others.
func fit(boxes []float32, size image.Point) ([]float32, error) {
	out := make([]float32, len(boxes))
	for i, v := range boxes {
		limit := float32(size.X)
		if i%2 == 1 {
			limit = float32(size.Y)
		}
		if v < -1 || v > limit+1 {
			return nil, fmt.Errorf("box %d is %v, which leaves the picture, %d × %d pixels", i/4, boxes[i/4*4:][:4], size.X, size.Y)
		}
		out[i] = min(max(v, 0), limit)
	}
	for i := 0; i < len(out); i += 4 {
		if out[i] >= out[i+2] || out[i+1] >= out[i+3] {
			return nil, fmt.Errorf("box %d is %v, of which nothing is in the picture, %d × %d pixels", i/4, boxes[i:][:4], size.X, size.Y)
		}
	}
	return out, nil
}
