// Package scenes is a drawn world: pictures of cartoon objects, made by a program that knows all about them, with what can be said and asked about
// them. It is small enough to learn in an hour, and the whole of LXMERT, from pixels to the three fine-tuned tasks, can be tried in it.
package scenes

import "image"

// Width and Height are a picture's size in pixels.
const (
	Width  = 320
	Height = 240
)

// A Kind is what an object is.
type Kind int

// The kinds. Each is drawn as one closed outline, so that it can be told from its ground by pixels alone.
const (
	Car Kind = iota
	House
	Tree
	Ball
	Boat
	Fish
	Star
	Flower
	Cup
	Hat
	Kite
	Mushroom
	kinds
)

var kindNames = [kinds]string{"car", "house", "tree", "ball", "boat", "fish", "star", "flower", "cup", "hat", "kite", "mushroom"}

// String is the kind's noun.
func (k Kind) String() string { return kindNames[k] }

// Kinds are all kinds.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// A Color is an object's.
type Color int

// The colours.
const (
	Red Color = iota
	Orange
	Yellow
	Green
	Blue
	Purple
	Pink
	Brown
	colors
)

var colorNames = [colors]string{"red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"}

// String is the colour's adjective.
func (c Color) String() string { return colorNames[c] }

// Colors are all colours.
func Colors() []Color {
	all := make([]Color, colors)
	for i := range all {
		all[i] = Color(i)
	}
	return all
}

// A Size is an object's: nothing is in between.
type Size int

// The sizes.
const (
	Small Size = iota
	Big
)

// String is the size's adjective.
func (s Size) String() string { return [...]string{"small", "big"}[s] }

// An Object is one thing in a picture.
type Object struct {
	Kind  Kind
	Color Color
	Size  Size
	Box   image.Rectangle // what is drawn of it, in pixels, outline included
}

// Center is the middle of the object, in 0..1 of the picture.
func (o Object) Center() (x, y float64) {
	return float64(o.Box.Min.X+o.Box.Max.X) / 2 / Width, float64(o.Box.Min.Y+o.Box.Max.Y) / 2 / Height
}

// A Ground is what objects stand on.
type Ground int

// A Scene is a picture before it is drawn: all that is true of it. Objects do not touch each other.
type Scene struct {
	Ground  Ground
	Objects []Object
	Seed    uint64 // of what is left to chance in drawing
}
