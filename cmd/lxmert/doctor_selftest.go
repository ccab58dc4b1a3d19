package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"math"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// knownScene is the seed of examples/park.png, in which there is one car, and it is red.
const (
	knownScene    = 256759
	knownQuestion = "What color is the car?"
	knownAnswer   = "red"
)

// selfTest draws a picture, finds its objects, and asks the model in the box about them on every engine.
func (c *checkup) selfTest(ctx context.Context) {
	regions, err := knownRegions(ctx)
	if err != nil {
		c.fault("detector", "this build computes pictures wrongly: please report it with the output of this command", err)
		return
	}
	c.ok("detector", "all %d objects of a drawn scene are found, with kind, color and place", regions.Len()-1)
	var first []lxmert.Answer
	for _, name := range c.engines {
		subject := "answers of " + name
		start := time.Now()
		answers, err := c.ask(ctx, name, regions)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.fault(subject, "use another engine (--backend), and please report it with the output of this command", err)
			continue
		case first == nil:
			first = answers
		}
		const near = 1e-3
		if d := largestDifference(first, answers); d > near {
			c.fault(subject, "use the portable engine (--backend go), and please report it with the output of this command",
				fmt.Errorf("logits differ by %.2g from those of %s, want less than %.0e", d, c.engines[0], near))
			continue
		}
		c.ok(subject, "%q: %s (%.0f %%), %.0f ms with loading", knownQuestion, answers[0].Text, 100*answers[0].Probability, milliseconds(start))
	}
}

// knownRegions are the regions of a drawn scene, checked against what was drawn.
func knownRegions(ctx context.Context) (vision.Regions, error) {
	scene := scenes.New(knownScene)
	var file bytes.Buffer
	if err := png.Encode(&file, scene.Draw()); err != nil {
		return vision.Regions{}, err
	}
	img, err := vision.Decode(&file)
	if err != nil {
		return vision.Regions{}, err
	}
	regions, err := scenes.Detector{}.Extract(ctx, img)
	if err != nil {
		return vision.Regions{}, err
	}
	if found := regions.Len() - 1; found != len(scene.Objects) {
		return vision.Regions{}, fmt.Errorf("found %d objects in a scene of %d", found, len(scene.Objects))
	}
	for _, o := range scene.Objects {
		if !seen(regions, o) {
			return vision.Regions{}, fmt.Errorf("found no %v %v at %v", o.Color, o.Kind, o.Box)
		}
	}
	return regions, nil
}

// seen says whether an object is among the regions, within two pixels.
func seen(regions vision.Regions, o scenes.Object) bool {
	const pixels = 2
	near := func(share float32, size, want int) bool {
		return math.Abs(float64(share)*float64(size)-float64(want)) <= pixels
	}
	for i := 1; i < regions.Len(); i++ {
		box := regions.Boxes[4*i : 4*i+4]
		if regions.Objects[i].ID == int(o.Kind) && regions.Attributes[i].ID == int(o.Color) && near(box[0], scenes.Width, o.Box.Min.X) && near(box[1], scenes.Height, o.Box.Min.Y) &&
			near(box[2], scenes.Width, o.Box.Max.X) && near(box[3], scenes.Height, o.Box.Max.Y) {
			return true
		}
	}
	return false
}

// ask is the model in the box's answers to the known question, in the order of the answer table.
func (c *checkup) ask(ctx context.Context, engine string, regions vision.Regions) ([]lxmert.Answer, error) {
	m, err := lxmert.Shipped(lxmert.WithBackendName(exact(engine)))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	answers, err := m.Ask(ctx, regions, knownQuestion)
	if err != nil {
		return nil, err
	}
	if answers[0].Text != knownAnswer {
		return nil, fmt.Errorf("%q: the model in the box answers %s, want %s", knownQuestion, answers[0].Text, knownAnswer)
	}
	return answers, nil
}

// exact is the engine's name with products of float32 in float32: NVIDIA's GPUs multiply numbers of 11 bits (tf32) unless they are told otherwise.
func exact(engine string) string {
	if engine == backend.XLA {
		return engine + ":,tf32=false"
	}
	return engine
}

// largestDifference is that of the logits of the same answers.
func largestDifference(a, b []lxmert.Answer) float64 {
	logits := map[int]float32{}
	for _, answer := range a {
		logits[answer.ID] = answer.Score
	}
	most := 0.0
	for _, answer := range b {
		d := math.Abs(float64(logits[answer.ID] - answer.Score))
		if !(d <= most) { // NaN too
			most = d
		}
	}
	return most
}
