package explain_test

import (
	"context"
	"fmt"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// ExampleRelevance asks why the shipped model says that the car is red.
func ExampleRelevance() {
	m, err := lxmert.Shipped()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	ctx := context.Background()
	img, err := vision.DecodeFile("../examples/park.png")
	if err != nil {
		fmt.Println(err)
		return
	}
	regions, err := scenes.Detector{}.Extract(ctx, img)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := explain.Relevance(ctx, m, regions, "What color is the car?", explain.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("answer:", e.Answer.Text)
	for _, region := range e.TopRegions(1) {
		fmt.Println("because of the", scenes.ObjectNames()[regions.Objects[region].ID])
	}
	// Output:
	// answer: red
	// because of the car
}
