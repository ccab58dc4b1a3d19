package data_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/vision"
)

// A file of regions is written whole, and read picture by picture.
func ExampleOpenTSV() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "regions.tsv")
	err = atomicfile.Write(path, 0o644, func(w io.Writer) error {
		return data.NewTSVWriter(w).Write("COCO_train2014_000000132417", vision.Regions{
			Features: []float32{1, 2, 3, 4}, FeatureWidth: 4,
			Boxes: []float32{0, 0.5, 1, 1},
			Size:  vision.Size{Width: 640, Height: 480},
		})
	})
	if err != nil {
		log.Fatal(err)
	}

	tsv, err := data.OpenTSV(path)
	if err != nil {
		log.Fatal(err)
	}
	defer tsv.Close()
	regions, err := tsv.Get("COCO_train2014_000000132417")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(regions.Len(), regions.Box(0), regions.Preset)
	_, err = tsv.Get("132417")
	fmt.Println(err.(*data.NotFoundError).Near())
	// Output:
	// 1 [0 0.5 1 1] butd-caffe
	// [COCO_train2014_000000132417]
}

// A store takes pictures one by one, and gives them back by id.
func ExampleWriteStore() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := data.WriteStore(dir, data.StoreOptions{Preset: vision.D2MaxNMS})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abandon() // after an error; the next writer goes on from here
	err = w.Add("cat.jpg", vision.Regions{
		Features: []float32{1, 2, 3, 4}, FeatureWidth: 4,
		Boxes: []float32{0, 0.5, 1, 1},
		Size:  vision.Size{Width: 640, Height: 480},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	store, err := data.OpenStore(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	regions, err := store.Get("cat.jpg")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Len(), regions.Features, regions.Size, regions.Preset)
	// Output:
	// 1 [1 2 3 4] {640 480} d2-maxnms
}
