package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"regexp"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// A Picture is what a request shows: a file's content, or the hash of one that was seen lately.
type Picture struct {
	Content []byte
	SHA256  string // 64 hexadecimal digits, where Content is nil
}

// A Sight is what a detector saw in a picture, and what should be known about it. It is shared between requests: nobody changes it.
type Sight struct {
	Regions    vision.Regions
	Vocabulary vision.Vocabulary // of the regions' labels

	SHA256 string      // of the file's content; "" where regions were sent
	Size   vision.Size // pixels, upright

	// Familiarity is how much the picture looks like the world that the model knows, 0..1; nil where nothing measures it. Trust, 0..1, is by what
	// probabilities are multiplied to be confidences.
	Familiarity *float64
	Trust       float64

	Notes  []string // what a person should know before believing the answers
	Cached bool     // it was there already
	Took   time.Duration
}

// See finds the regions of a picture with the model's detector, or has them from the last time. Of many callers with the same picture one looks.
func (s *Service) See(ctx context.Context, model string, p Picture) (*Sight, error) {
	start := time.Now()
	l, err := s.use(model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	if l.extractor == nil {
		return nil, &Error{Unsupported, "no_detector", fmt.Sprintf("model %s has no detector here: send regions in place of a picture", l.card.ID), nil}
	}
	key, err := s.keyOf(l, p)
	if err != nil {
		return nil, err
	}
	found, cached, err := s.cache.get(ctx, key, p.Content != nil, func() (looking, error) {
		if err := l.pace.room(ctx, cap(l.looks)); err != nil {
			return nil, err
		}
		l.hold() // the look may outlive the request that began it
		return func(ctx context.Context) (*Sight, error) {
			defer l.release()
			defer l.pace.done()
			return s.look(ctx, l, p.Content, key.sha256)
		}, nil
	})
	if err != nil {
		return nil, err
	}
	sight := *found
	sight.Cached, sight.Took = cached, time.Since(start)
	return &sight, nil
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// keyOf is where the cache keeps the picture's regions.
func (s *Service) keyOf(l *loaded, p Picture) (cacheKey, error) {
	key := cacheKey{model: l.card.ID, version: l.card.Version, sha256: p.SHA256}
	switch {
	case p.Content == nil && p.SHA256 == "":
		return key, Invalidf("there is no picture: want the content of a file, or the hash of one that was sent before")
	case p.Content == nil && !sha256Hex.MatchString(p.SHA256):
		return key, Invalidf("found the hash %.80q, want 64 hexadecimal digits in lower case", p.SHA256)
	case int64(len(p.Content)) > s.options.MaxFileBytes:
		return key, &Error{TooLarge, "file_too_large", fmt.Sprintf("the picture's file has %d bytes, want at most %d", len(p.Content), s.options.MaxFileBytes), nil}
	case p.Content != nil:
		sum := sha256.Sum256(p.Content)
		key.sha256 = hex.EncodeToString(sum[:])
	}
	return key, nil
}

// look decodes the picture and finds its regions.
func (s *Service) look(ctx context.Context, l *loaded, content []byte, hash string) (sight *Sight, err error) {
	err = guarded(s.options.Log, "look", func() error {
		img, err := s.decode(ctx, content)
		if err != nil {
			return err
		}
		sight = &Sight{Vocabulary: l.vocabulary, SHA256: hash, Size: vision.Size{Width: img.Bounds().Dx(), Height: img.Bounds().Dy()}, Trust: 1}
		if sight.Regions, err = s.extract(ctx, l, img); err != nil {
			return err
		}
		if err := sight.Regions.Check(l.card.FeatureWidth, l.card.PosWidth); err != nil {
			return fmt.Errorf("the detector's regions: %w", err)
		}
		sight.judge(img, l.card)
		return nil
	})
	return sight, err
}

// decode reads the picture, as many at once as there are processors: each takes memory for its pixels.
func (s *Service) decode(ctx context.Context, content []byte) (image.Image, error) {
	size, err := vision.StoredSize(content)
	if err != nil {
		return nil, &Error{Invalid, "not_a_picture", err.Error(), err}
	}
	if size.Width*size.Height > s.options.MaxPixels {
		return nil, &Error{TooLarge, "too_many_pixels", fmt.Sprintf("the picture has %d × %d pixels, want at most %d in all", size.Width, size.Height, s.options.MaxPixels), nil}
	}
	select {
	case s.decodes <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.decodes }()
	start := time.Now()
	img, err := vision.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, &Error{Invalid, "not_a_picture", err.Error(), err}
	}
	s.options.Observer.Stage("decode", time.Since(start))
	return img, nil
}

// extract runs the detector, when it is this picture's turn.
func (s *Service) extract(ctx context.Context, l *loaded, img image.Image) (vision.Regions, error) {
	select {
	case l.looks <- struct{}{}:
	case <-ctx.Done():
		return vision.Regions{}, ctx.Err()
	}
	defer func() { <-l.looks }()
	start := time.Now()
	defer func() { l.pace.took(time.Since(start)) }()
	if d, ok := l.extractor.(*frcnn.Detector); ok {
		regions, timings, err := d.ExtractTimed(ctx, img)
		for _, t := range timings {
			s.options.Observer.Stage(strings.ReplaceAll(t.Stage, " ", "_"), t.Took)
		}
		return regions, asked(err)
	}
	regions, err := l.extractor.Extract(ctx, img)
	s.options.Observer.Stage("regions", time.Since(start))
	return regions, asked(err)
}

// asked is an error that speaks of the picture, unless it is the context's or the end of the server.
func asked(err error) error {
	if e := AsError(err); e != nil && e.Kind == Internal {
		return &Error{Invalid, "picture_refused", err.Error(), err}
	}
	return err
}

// judge says how far the picture is of the world that the model knows.
func (v *Sight) judge(img image.Image, card Card) {
	if card.Preset != "" && v.Regions.Preset != "" && v.Regions.Preset != card.Preset {
		v.Notes = append(v.Notes, fmt.Sprintf("The regions are of preset %s, but the model was trained with those of %s: its answers mean little.", v.Regions.Preset, card.Preset))
	}
	if v.Regions.Preset != scenes.Preset {
		return
	}
	familiar := scenes.Familiar(img)
	v.Familiarity, v.Trust = &familiar, scenes.Trust(familiar)
	switch {
	case familiar < scenes.FamiliarEnough:
		v.Notes = append(v.Notes, fmt.Sprintf("This does not look like a drawn scene: %.0f %% of it has the colours of one, where scenes have %.0f %% and more. The model knows drawn scenes only; "+
			"what it says here means little, and its confidence is scaled down.", 100*familiar, 100*scenes.FamiliarEnough))
	case v.Regions.Len() == 1:
		v.Notes = append(v.Notes, "No object was found, only a ground; the model knows drawn scenes only.")
	}
}

// Given is a sight of regions that were sent in place of a picture. The error says what is wrong with them for this model.
func (s *Service) Given(model string, regions vision.Regions) (*Sight, error) {
	card, err := s.Card(model)
	if err != nil {
		return nil, err
	}
	if err := regions.Check(card.FeatureWidth, card.PosWidth); err != nil {
		return nil, &Error{Invalid, "regions_refused", err.Error(), err}
	}
	v := &Sight{Regions: regions, Size: regions.Size, Trust: 1}
	if card.Preset != "" && regions.Preset != "" && regions.Preset != card.Preset {
		v.Notes = append(v.Notes, fmt.Sprintf("The regions are of preset %s, but the model was trained with those of %s: its answers mean little.", regions.Preset, card.Preset))
	}
	return v, nil
}

// NoPicture is a sight of nothing: the model reads the words alone.
func (s *Service) NoPicture(model string) (*Sight, error) {
	card, err := s.Card(model)
	if err != nil {
		return nil, err
	}
	return &Sight{Regions: vision.NoPicture(card.FeatureWidth, card.PosWidth), Trust: 1}, nil
}
