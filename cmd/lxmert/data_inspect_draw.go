package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/annotate"
)

// inspectDrawings draws images of a source.
type inspectDrawings struct {
	run    *inspectRun
	source data.Source
	words  vision.Vocabulary
	errOut io.Writer
	crowd  crowding
}

// all draws those of --image-id, or some, and returns the files by image id.
func (d *inspectDrawings) all(ctx context.Context) (map[string]string, error) {
	ids := d.run.ids
	if len(ids) == 0 {
		ids = data.Sample(d.source, inspectDrawn).IDs()
	}
	defer func() { d.crowd.say(d.errOut, d.run.draw.out) }()
	files := map[string]string{}
	if d.run.draw.one() {
		if err := d.sheet(ctx, ids); err != nil {
			return nil, err
		}
		for _, id := range ids {
			files[id] = d.run.draw.out
		}
		return files, nil
	}
	for _, id := range ids {
		to, err := d.run.draw.path(id)
		if err != nil {
			return nil, err
		}
		drawing, err := d.draw(ctx, id, to, 0)
		if err != nil {
			return nil, err
		}
		if err := annotate.Save(to, drawing.Picture); err != nil {
			return nil, err
		}
		files[id] = to
	}
	return files, nil
}

// sheet draws all on one; one alone has it for itself.
func (d *inspectDrawings) sheet(ctx context.Context, ids []string) error {
	to := d.run.draw.out
	longest := annotate.SheetLongest
	if len(ids) == 1 {
		longest = 0
	}
	var pictures []annotate.Captioned
	for _, id := range ids {
		drawing, err := d.draw(ctx, id, to, longest)
		if err != nil {
			return err
		}
		pictures = append(pictures, annotate.Captioned{Picture: drawing.Picture, Caption: fmt.Sprintf("%s: %d regions", plain(id), len(drawing.Regions))})
	}
	if len(pictures) == 1 {
		return annotate.Save(to, pictures[0].Picture)
	}
	sheet, err := annotate.Sheet(pictures)
	if err != nil {
		return err
	}
	return annotate.Save(to, sheet)
}

// draw draws an image's regions on its picture, or on a plain ground.
func (d *inspectDrawings) draw(ctx context.Context, id, to string, longest int) (*annotate.Drawing, error) {
	regions, err := d.source.Get(id)
	if err != nil {
		return nil, err
	}
	img := annotate.Ground(regions.Size)
	if d.run.images != "" {
		if img, err = d.picture(id, to, regions.Size); err != nil {
			return nil, err
		}
	}
	options := annotate.Options{Vocabulary: d.words, Top: d.run.draw.top, Confidence: d.run.draw.confidence, Longest: longest}
	drawing, err := annotate.Draw(ctx, img, regions, options)
	if err != nil {
		return nil, fmt.Errorf("%s: image %s: %w", d.source.Path(), plain(id), err)
	}
	d.crowd.add(drawing)
	return drawing, nil
}

// picture reads an image's picture, which must not be the drawing's file. One that is not there is said, and a plain ground.
func (d *inspectDrawings) picture(id, to string, size vision.Size) (image.Image, error) {
	if !filepath.IsLocal(id) {
		return nil, fmt.Errorf("--images: the id %s cannot be the name of a file in %s", plain(id), d.run.images)
	}
	for _, ending := range append(vision.FileTypes(), "") { // last the id as it is, which may have its ending
		path := filepath.Join(d.run.images, filepath.FromSlash(id)+ending)
		img, err := vision.DecodeFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if found := img.Bounds().Size(); size != (vision.Size{}) && found != image.Pt(size.Width, size.Height) {
			fmt.Fprintf(d.errOut, "lxmert: %s has %d × %d pixels, but the regions are of a picture with %d × %d: is it another?\n",
				plain(path), found.X, found.Y, size.Width, size.Height)
		}
		return img, apart(to, path)
	}
	fmt.Fprintf(d.errOut, "lxmert: --images %s has no picture %s, with an ending such as .jpg or without: it is drawn on a plain ground\n",
		plain(d.run.images), plain(id))
	return annotate.Ground(size), nil
}
