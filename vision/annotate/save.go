package annotate

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// Endings are those of the names of files that Save writes.
func Endings() []string { return []string{".png", ".jpg", ".jpeg"} }

// IsPicture says whether a file's name ends as those that Save writes.
func IsPicture(path string) bool {
	return slices.Contains(Endings(), strings.ToLower(filepath.Ext(path)))
}

// jpegQuality is high: lines and letters suffer first.
const jpegQuality = 92

// Save writes a picture, whole or not at all, as the file's name ends: PNG, or JPEG. The error says that it ends otherwise, or is the file's.
func Save(path string, img image.Image) error {
	if !IsPicture(path) {
		return fmt.Errorf("%s: want a name that ends in %s", path, strings.Join(Endings(), ", "))
	}
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		if strings.ToLower(filepath.Ext(path)) == ".png" {
			return png.Encode(w, img)
		}
		return jpeg.Encode(w, img, &jpeg.Options{Quality: jpegQuality})
	})
}
