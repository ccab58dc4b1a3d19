package scenes_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/scenes"
)

// A data set to try training with; its questions are read as any others.
func ExampleGenerate() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	set := filepath.Join(dir, "set")
	report, err := scenes.Generate(context.Background(), set, scenes.Options{Images: 20, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	read := 0
	for _, err := range questions.LXMERT(filepath.Join(set, "gqa.json")) {
		if err != nil {
			log.Fatal(err)
		}
		read++
	}
	fmt.Println(report.Images, "pictures", report.Statements, "statements", read == report.GQA)
	// Output: 20 pictures 19 statements true
}

func ExampleNew() {
	s := scenes.New(6)
	for _, o := range s.Objects {
		fmt.Printf("a %v %v %v at %v\n", o.Size, o.Color, o.Kind, o.Box)
	}
	fmt.Println("on", s.Ground)
	// Output:
	// a big purple hat at (16,101)-(106,164)
	// a small purple hat at (174,45)-(223,76)
	// on mint
}

func ExampleDetector() {
	picture := scenes.New(6).Draw()
	regions, err := scenes.Detector{}.Extract(context.Background(), picture)
	if err != nil {
		fmt.Println(err)
		return
	}
	objects, attributes := scenes.ObjectNames(), scenes.AttributeNames()
	for i := range regions.Len() {
		fmt.Println(attributes[regions.Attributes[i].ID], objects[regions.Objects[i].ID])
	}
	// Output:
	// none ground
	// purple hat
	// purple hat
}
