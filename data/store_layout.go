package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
)

// In a shard the tensors of an image stand together, so that reading it touches one stretch of the file, and always
// in the order of a layout: wide types first, as the safetensors library sorts them, so that each is
// aligned if features are (a width that is a multiple of 4 sees to that). So the place of the first byte, the number of regions and what is
// known of them say where everything is.

// What is known of an image's regions beyond features and boxes.
const (
	hasObjects = 1 << iota
	hasAttributes
	hasSize
	knownFlags = hasObjects | hasAttributes | hasSize
)

func flagsOf(r vision.Regions) (flags int) {
	if len(r.Objects) > 0 {
		flags |= hasObjects
	}
	if len(r.Attributes) > 0 {
		flags |= hasAttributes
	}
	if r.Size != (vision.Size{}) {
		flags |= hasSize
	}
	return flags
}

// imageLayout lists the tensors of an image of n regions; Begin counts from the image's first byte.
func imageLayout(id string, n, width int, dtype checkpoint.DType, flags int) (parts []checkpoint.Part, size int) {
	add := func(have bool, name string, dtype checkpoint.DType, shape ...int) {
		if have {
			p := checkpoint.Part{Name: id + "/" + name, DType: dtype, Shape: shape, Begin: size}
			parts = append(parts, p)
			size += p.ByteLen()
		}
	}
	objects, attributes := flags&hasObjects != 0, flags&hasAttributes != 0
	add(attributes, "attribute_ids", checkpoint.I64, n)
	add(objects, "object_ids", checkpoint.I64, n)
	add(flags&hasSize != 0, "size", checkpoint.I64, 2)
	add(attributes, "attribute_scores", checkpoint.F32, n)
	add(true, "boxes", checkpoint.F32, n, 4)
	if dtype == checkpoint.F32 {
		add(true, "features", dtype, n, width)
	}
	add(objects, "object_scores", checkpoint.F32, n)
	if dtype != checkpoint.F32 {
		add(true, "features", dtype, n, width)
	}
	return parts, size
}

// imageSize is imageLayout's size, without the parts.
func imageSize(n, width int, dtype checkpoint.DType, flags int) int {
	size := n * (16 + dtype.Size()*width)
	if flags&hasAttributes != 0 {
		size += 12 * n
	}
	if flags&hasObjects != 0 {
		size += 12 * n
	}
	if flags&hasSize != 0 {
		size += 16
	}
	return size
}

// encodeImage writes an image's tensors one after the other, in the order of the layout.
func encodeImage(out []byte, r vision.Regions, dtype checkpoint.DType) []byte {
	ids := func(labels []vision.Label) {
		for _, l := range labels {
			out = binary.LittleEndian.AppendUint64(out, uint64(l.ID))
		}
	}
	scores := func(labels []vision.Label) {
		for _, l := range labels {
			out = appendFloat(out, l.Confidence)
		}
	}
	ids(r.Attributes)
	ids(r.Objects)
	if r.Size != (vision.Size{}) {
		out = binary.LittleEndian.AppendUint64(out, uint64(r.Size.Height))
		out = binary.LittleEndian.AppendUint64(out, uint64(r.Size.Width))
	}
	scores(r.Attributes)
	for _, v := range r.Boxes {
		out = appendFloat(out, v)
	}
	if dtype == checkpoint.F32 {
		for _, v := range r.Features {
			out = appendFloat(out, v)
		}
	}
	scores(r.Objects)
	if dtype == checkpoint.F16 {
		for _, v := range r.Features {
			out = binary.LittleEndian.AppendUint16(out, checkpoint.F16Bits(v))
		}
	}
	return out
}

// fitsHalf says which feature, if any, is too large for float16.
func fitsHalf(r vision.Regions) error {
	for i, v := range r.Features {
		if v >= 65520 || v <= -65520 {
			return fmt.Errorf("feature of region %d has %v at position %d, which float16 cannot hold (up to 65504): keep this store in float32", i/r.FeatureWidth, v, i%r.FeatureWidth)
		}
	}
	return nil
}

// read decodes an image.
func (shard *storeShard) read(e indexEntry, r *vision.Regions) error {
	size := imageSize(e.regions, shard.width, shard.dtype, e.flags)
	return shard.file.Use(e.begin, size, func(data []byte) error {
		return decodeImage(data, e.regions, shard.width, shard.dtype, e.flags, r)
	})
}

// decodeImage reads what encodeImage wrote, and checks it. data is as long as imageSize says.
func decodeImage(data []byte, n, width int, dtype checkpoint.DType, flags int, r *vision.Regions) error {
	take := func(size int) []byte {
		part := data[:size]
		data = data[size:]
		return part
	}
	*r = vision.Regions{
		Features: resized(r.Features, n*width), FeatureWidth: width,
		Boxes: resized(r.Boxes, 4*n), PosWidth: 4,
		Objects: r.Objects, Attributes: r.Attributes,
	}
	var objectIDs, attributeIDs, objectScores, attributeScores []byte
	if flags&hasAttributes != 0 {
		attributeIDs = take(8 * n)
	}
	if flags&hasObjects != 0 {
		objectIDs = take(8 * n)
	}
	if flags&hasSize != 0 {
		height, width := int64(binary.LittleEndian.Uint64(data)), int64(binary.LittleEndian.Uint64(data[8:]))
		take(16)
		if height < 1 || width < 1 || height > maxSide || width > maxSide {
			return fmt.Errorf("size: found %d × %d (height, width), want 1 to %d pixels", height, width, maxSide)
		}
		r.Size = vision.Size{Height: int(height), Width: int(width)}
	}
	if flags&hasAttributes != 0 {
		attributeScores = take(4 * n)
	}
	decodeFloats(r.Boxes, take(16*n))
	finite := true
	if dtype == checkpoint.F32 {
		finite = decodeFloats(r.Features, take(4*n*width))
	}
	if flags&hasObjects != 0 {
		objectScores = take(4 * n)
	}
	if dtype == checkpoint.F16 {
		finite = checkpoint.DecodeF16(r.Features, take(2*n*width))
	}
	r.Objects = decodeLabels(r.Objects, objectIDs, objectScores)
	r.Attributes = decodeLabels(r.Attributes, attributeIDs, attributeScores)
	// Check would look at each number of the features once more; that they are finite is known.
	checked := *r
	if finite {
		checked.Features, checked.FeatureWidth = noFeatures[:n], 1
	}
	return checked.Check(checked.FeatureWidth, 4)
}

var noFeatures [vision.MaxRegions]float32

// decodeFloats copies float32 numbers and says whether all are finite.
func decodeFloats(out []float32, data []byte) (finite bool) {
	special := uint32(0)
	data = data[:4*len(out)]
	for i := range out {
		b := binary.LittleEndian.Uint32(data[4*i:])
		out[i] = math.Float32frombits(b)
		special |= (b&0x7F800000 + 0x00800000) & 0x80000000 // the exponent is all ones
	}
	return special == 0
}

func decodeLabels(out []vision.Label, ids, scores []byte) []vision.Label {
	if ids == nil {
		return nil
	}
	out = resized(out, len(ids)/8)
	for i := range out {
		id := int64(binary.LittleEndian.Uint64(ids[8*i:]))
		if id != int64(int32(id)) {
			id = -1 // no vocabulary is so long; Check says it
		}
		out[i] = vision.Label{ID: int(id), Confidence: math.Float32frombits(binary.LittleEndian.Uint32(scores[4*i:]))}
	}
	return out
}

// resized is a slice of n elements, in the memory of old if that is large enough.
func resized[T any](old []T, n int) []T {
	return slices.Grow(old[:0], n)[:n]
}

// each applies change to every error that is joined in err.
func each(err error, change func(error) error) error {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return change(err)
	}
	var errs []error
	for _, err := range many.Unwrap() {
		errs = append(errs, change(err))
	}
	return errors.Join(errs...)
}
