//go:build (!amd64 && !arm64) || purego

package kernel

// sets are all sets of this program: the portable one.
func sets() []*Set { return all }

var all = []*Set{&generic}
