package logs

import "time"

const (
	// mostBlocks bounds one read of the log that is furthest behind.
	mostBlocks = 256
	// quickAnswer is how long an answer may take for the next read to be
	// larger: on a slow line small ones keep saying that the node is alive.
	quickAnswer = 200 * time.Millisecond
)

// pace is how much is read at once. A log that is far behind is read in larger
// pieces where the line is quick, one log of a node at a time, so that memory
// stays bounded.
type pace struct {
	large int  // blocks of a large read; 0 until one was tried
	of    *log // the log that is read so; nil for none
}

// choose finds the log that is far behind.
func (p *pace) choose(logs []*log) {
	p.of = nil
	for _, g := range logs {
		if g.read.name == "" || g.behind() <= readBlocks*blockSize {
			continue
		}
		if p.of == nil || g.behind() > p.of.behind() {
			p.of = g
		}
	}
}

// behind is how much of the file that is being read was not read yet.
func (g *log) behind() int64 { return g.chain[0].size - g.offset }

// blocks is how much to read of a log.
func (p *pace) blocks(g *log) int {
	if g != p.of {
		return readBlocks
	}
	return max(p.large, readBlocks)
}

// answered hears how long the last request took.
func (p *pace) answered(took time.Duration) {
	switch {
	case p.of == nil:
	case took > quickAnswer:
		p.large = readBlocks
	default:
		p.large = min(2*max(p.large, readBlocks), mostBlocks)
	}
}
