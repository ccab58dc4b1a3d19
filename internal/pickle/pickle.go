// Package pickle reads Python's pickles without running them. A pickle is a program for a small machine with a
// stack; this machine makes numbers, texts and containers. All else (classes, functions, references to what lies
// outside) goes to the caller's hooks, who knows a short list of names and refuses the others. No hook, no names.
//
// What a pickle can take is bounded before it is taken: the number of operations, each of which makes at most one
// small value; how deep containers lie in each other; and texts and bytes by the pickle's own length. A value that
// is used in a thousand places is there once, so a small file cannot unfold into a large structure, but whoever
// walks through one must expect to meet values again, and a list may contain itself.
package pickle

import "fmt"

// MaxDepth is how deep containers may lie in each other. Python's own limit is about as high.
const MaxDepth = 1000

// Options are what a pickle may do beyond numbers, texts and containers. Where a hook is nil, a pickle that needs
// it is refused. What a hook returns as error ends the reading.
type Options struct {
	// MaxSteps is how many operations a pickle may have; 0 is none. A step makes at most about a hundred bytes,
	// beside texts, which are copied from the pickle.
	MaxSteps int

	// Global is the class or function of that name. Names are not longer than MaxText.
	Global func(module, name string) (any, error)

	// Call is what becomes of a call of something that Global gave. The arguments must not be changed.
	Call func(function any, arguments []any) (any, error)

	// Build sets the state of an object after it was made.
	Build func(object, state any) error

	// Persistent is what an id stands for that points out of the pickle.
	Persistent func(id any) (any, error)
}

// Load reads the pickle at the beginning of content: its value, and how many bytes it takes; others may follow.
// Values are nil, bool, int64, *[Long], float64, string, [Bytes], *[List], *[Tuple], *[Dict], *[Set] and what the
// hooks return. Bytes are views of content, and so is nothing else. The error says at which byte.
func Load(content []byte, options Options) (value any, size int, err error) {
	m := machine{text: content, options: options}
	value, err = m.run()
	if err != nil {
		return nil, 0, fmt.Errorf("at byte %d: %w", m.at, err)
	}
	return value, m.at, nil
}
