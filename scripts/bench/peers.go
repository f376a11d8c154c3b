// peers.go CASE N…: what Go makes of the work of cases.lua. Prints `name=value` lines; nothing for a case Go has no
// counterpart of. A queue is a channel (Go has none without a bound: a large one stands in), a thread is a goroutine.
// Tables go through as a pointer to a struct, uncopied.
package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const large = 1 << 16

func report(name string, value float64) { fmt.Printf("%s=%.6g\n", name, value) }

func seconds(since time.Time) float64 { return time.Since(since).Seconds() }

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return n
}

// goAll runs fn(0..n-1) in goroutines; the result waits for all.
func goAll(n int, fn func(i int)) func() {
	var group sync.WaitGroup
	group.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) { defer group.Done(); fn(i) }(i)
	}
	return group.Wait
}

func ints(args []string) {
	n, size := number(args[0]), large
	if len(args) > 1 {
		size = number(args[1])
	}
	q, sum := make(chan int, size), 0
	t := time.Now()
	wait := goAll(1, func(int) {
		for i := 0; i < n; i++ {
			sum += <-q
		}
	})
	for i := 1; i <= n; i++ {
		q <- i
	}
	wait()
	report("ns", seconds(t)/float64(n)*1e9)
	if sum != n*(n+1)/2 {
		panic("messages lost")
	}
}

func mesh(args []string) {
	each := number(args[0]) / 4
	q, counts := make(chan int, large), make([]int, 4)
	t := time.Now()
	consumed := goAll(4, func(i int) {
		for range q {
			counts[i]++
		}
	})
	goAll(4, func(int) {
		for i := 1; i <= each; i++ {
			q <- i
		}
	})()
	close(q)
	consumed()
	sort.Ints(counts)
	report("rate", float64(each*4)/seconds(t)/1e6)
	report("share", float64(counts[0])/float64(each))
}

type record struct {
	id   int
	name string
	x    float64
	tags []string
}

func job(args []string) {
	n := number(args[0])
	q, sum := make(chan *record, large), 0
	t := time.Now()
	wait := goAll(1, func(int) {
		for i := 0; i < n; i++ {
			sum += (<-q).id
		}
	})
	for i := 1; i <= n; i++ {
		q <- &record{i, "job", 1.5, []string{"a", "b"}}
	}
	wait()
	report("rate", float64(n)/seconds(t)/1e6)
	report("ns", seconds(t)/float64(n)*1e9)
}

func roundtrip(args []string) {
	n := number(args[0])
	ping, pong := make(chan int, large), make(chan int, large)
	goAll(1, func(int) {
		for i := range ping {
			pong <- i
		}
	})
	t := time.Now()
	for i := 0; i < n; i++ {
		ping <- i
		<-pong
	}
	report("us", seconds(t)/float64(n)*1e6)
	close(ping)
}

func lock(args []string) {
	n := number(args[0])
	var mu sync.Mutex
	t := time.Now()
	for i := 0; i < n; i++ {
		mu.Lock()
		mu.Unlock() //nolint:staticcheck // an empty section is what is measured
	}
	report("ns", seconds(t)/float64(n)*1e9)
}

// A channel with room for one is Go's usual semaphore.
func semaphore(args []string) {
	n, s := number(args[0]), make(chan struct{}, 1)
	t := time.Now()
	for i := 0; i < n; i++ {
		s <- struct{}{}
		<-s
	}
	report("ns", seconds(t)/float64(n)*1e9)
}

func contended(args []string) {
	threads, length := number(args[0]), time.Duration(number(args[1]))*time.Millisecond
	var mu sync.Mutex
	counts, total := make([]int, threads), 0
	end := time.Now().Add(length)
	goAll(threads, func(i int) {
		for n := 0; ; n += 100 {
			if !time.Now().Before(end) {
				counts[i] = n
				return
			}
			for k := 0; k < 100; k++ {
				mu.Lock()
				mu.Unlock() //nolint:staticcheck
			}
		}
	})()
	sort.Ints(counts)
	for _, n := range counts {
		total += n
	}
	report("rate", float64(total)/length.Seconds()/1e6)
	report("share", float64(counts[0]*threads)/float64(total))
}

func spawn(args []string) {
	n := number(args[0])
	t := time.Now()
	for i := 0; i < n; i++ {
		goAll(1, func(int) {})()
	}
	report("us", seconds(t)/float64(n)*1e6)
}

func residentKiB() float64 {
	text, _ := os.ReadFile("/proc/self/statm")
	return float64(number(strings.Fields(string(text))[1]) * os.Getpagesize() / 1024)
}

func blocked(args []string) {
	n := number(args[0])
	var ready sync.WaitGroup
	event := make(chan struct{})
	ready.Add(n)
	before, t := residentKiB(), time.Now()
	wait := goAll(n, func(int) { ready.Done(); <-event })
	ready.Wait()
	report("start", seconds(t))
	time.Sleep(200 * time.Millisecond)
	report("kib", (residentKiB()-before)/float64(n))
	t = time.Now()
	close(event)
	wait()
	report("wake", seconds(t))
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func buildStrings(rounds int) int {
	total := 0
	for r := 1; r <= rounds; r++ {
		var parts []string
		for i := 1; i <= 1000; i++ {
			parts = append(parts, "item "+strconv.Itoa(i)+":"+strconv.Itoa(r))
		}
		for _, word := range strings.Split(strings.Join(parts, ","), ",") {
			total += len(word)
		}
	}
	return total
}

// Go has structs where Lua has tables; maps keep the work the same.
func buildTables(rounds int) int {
	total := 0
	for r := 1; r <= rounds; r++ {
		var list []map[string]interface{}
		byname := map[string]map[string]interface{}{}
		for i := 1; i <= 1000; i++ {
			rec := map[string]interface{}{"id": i, "weight": (i*7919 + r) % 1009, "tags": []int{i, i + 1}}
			list = append(list, rec)
			byname["r"+strconv.Itoa(i)] = rec
		}
		sort.Slice(list, func(a, b int) bool { return list[a]["weight"].(int) < list[b]["weight"].(int) })
		for i := 1; i <= 1000; i += 3 {
			total += byname["r"+strconv.Itoa(i)]["weight"].(int) + list[i-1]["tags"].([]int)[1]
		}
	}
	return total
}

func churn(generations int) int {
	total := 0
	for ; generations > 0; generations-- {
		var list []map[string]interface{}
		for i := 0; i < 50000; i++ {
			list = append(list, map[string]interface{}{"1": i, "name": "x"})
		}
		total += len(list)
	}
	return total
}

var work = map[string]func(int) int{"fib": fib, "strings": buildStrings, "tables": buildTables, "churn": churn}

var sink int // keeps the compiler from dropping the work

func plain(args []string) {
	n, t := number(args[1]), time.Now()
	sink = work[args[0]](n)
	report("ms", seconds(t)*1e3)
}

func scale(args []string) {
	n, results := number(args[1]), make([]int, 2)
	run := func(threads int) float64 {
		t := time.Now()
		goAll(threads, func(i int) { results[i] = work[args[0]](n) })()
		return seconds(t)
	}
	before, both, after := run(1), run(2), run(1)
	report("x", (before+after)/both)
}

func main() {
	cases := map[string]func([]string){"ints": ints, "mesh": mesh, "job": job, "roundtrip": roundtrip, "lock": lock,
		"semaphore": semaphore, "contended": contended, "spawn": spawn, "blocked": blocked, "plain": plain, "scale": scale}
	if run := cases[os.Args[1]]; run != nil {
		run(os.Args[2:])
	}
}
