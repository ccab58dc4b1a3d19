package scenes_test

import (
	"context"
	"fmt"

	"github.com/go-lxmert/lxmert/scenes"
)

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
