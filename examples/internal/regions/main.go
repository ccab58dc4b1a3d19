// Command regions writes the example's feature file: two made-up pictures. Features are random but look like the
// detector's, never negative and a third of them zero; boxes are those of a simple scene.
package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/vision"
)

// pictures are boxes in pixels of a 640 × 480 picture.
var pictures = []struct {
	id    string
	boxes [][4]float32
}{
	{"drawn-1", [][4]float32{{0, 0, 639, 210}, {0, 200, 639, 479}, {120, 180, 330, 420}, {400, 90, 560, 300}}},
	{"drawn-2", [][4]float32{{0, 0, 639, 479}, {40, 250, 260, 460}, {300, 120, 620, 440}}},
}

const (
	width, height = 640, 480
	featureWidth  = 2048
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: regions FILE.tsv")
		os.Exit(2)
	}
	if err := atomicfile.Write(os.Args[1], 0o644, write); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(w io.Writer) error {
	random := rand.New(rand.NewPCG(2019, 1908_07490))
	tsv := data.NewTSVWriter(w)
	for _, picture := range pictures {
		n := len(picture.boxes)
		regions := vision.Regions{
			FeatureWidth: featureWidth,
			Features:     make([]float32, n*featureWidth),
			Size:         vision.Size{Width: width, Height: height},
			Objects:      make([]vision.Label, n),
			Attributes:   make([]vision.Label, n),
		}
		for i := range regions.Features {
			// Whole eighths, so that the file packs well.
			regions.Features[i] = float32(max(0, int(8*(random.NormFloat64()+0.4)))) / 8
		}
		var pixels []float32
		for _, box := range picture.boxes {
			pixels = append(pixels, box[:]...)
		}
		boxes, err := vision.NormalizeBoxes(pixels, regions.Size)
		if err != nil {
			return err
		}
		regions.Boxes = boxes
		if err := tsv.Write(picture.id, regions); err != nil {
			return err
		}
	}
	return nil
}
