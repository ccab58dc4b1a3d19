package scenes

// Labels of a detector's regions. An object's are its kind and its colour.
const (
	GroundLabel  = int(kinds)  // the whole picture's object label
	NoColorLabel = int(colors) // the whole picture's attribute label
)

// ObjectNames are the names of object labels, by id: the kinds, and "ground".
func ObjectNames() []string { return append(append([]string{}, kindNames[:]...), "ground") }

// AttributeNames are the names of attribute labels, by id: the colours, and "none".
func AttributeNames() []string { return append(append([]string{}, colorNames[:]...), "none") }
