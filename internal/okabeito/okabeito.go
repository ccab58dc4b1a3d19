// Package okabeito has the colours of Okabe and Ito (Color Universal Design, 2008), which the colour-blind can tell apart.
package okabeito

import "image/color"

var (
	Orange     = color.RGBA{0xe6, 0x9f, 0x00, 255}
	Sky        = color.RGBA{0x56, 0xb4, 0xe9, 255}
	Green      = color.RGBA{0x00, 0x9e, 0x73, 255}
	Yellow     = color.RGBA{0xf0, 0xe4, 0x42, 255}
	Blue       = color.RGBA{0x00, 0x72, 0xb2, 255}
	Vermillion = color.RGBA{0xd5, 0x5e, 0x00, 255}
	Purple     = color.RGBA{0xcc, 0x79, 0xa7, 255}
	Black      = color.RGBA{0x00, 0x00, 0x00, 255}
)
