// Drives franz-go: one request a line on standard input, one answer a line on standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type record struct {
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Key       *string           `json:"key"`
	Value     *string           `json:"value"`
	Headers   map[string]string `json:"headers"`
	Timestamp int64             `json:"timestamp"`
}

// The fields of all requests; each uses its own.
type request struct {
	Id              int64             `json:"id"`
	Do              string            `json:"do"`
	Topic           string            `json:"topic"`
	Partition       int32             `json:"partition"`
	Partitions      int32             `json:"partitions"`
	Configs         map[string]string `json:"configs"`
	Codec           string            `json:"codec"`
	Records         []record          `json:"records"`
	Isolation       string            `json:"isolation"`
	Count           int               `json:"count"`
	Timestamp       int64             `json:"timestamp"`
	Group           string            `json:"group"`
	Producer        string            `json:"producer"`
	TransactionalId string            `json:"transactionalId"`
	Values          []string          `json:"values"`
	End             string            `json:"end"`
	From            string            `json:"from"`
	To              string            `json:"to"`
}

type member struct {
	client   *kgo.Client
	lock     sync.Mutex
	values   []string
	assigned map[int32]bool
}

var (
	brokers = strings.Split(os.Getenv("KAFKA_BROKERS"), ",")
	ctx     = context.Background()
	admin   *kadm.Client
	joined  *member
	lock    sync.Mutex
	made    = map[string]*kgo.Client{}
	open    = map[string]bool{}
)

func client(options ...kgo.Opt) (*kgo.Client, error) {
	base := []kgo.Opt{
		kgo.SeedBrokers(brokers...),
		kgo.ClientID("franz-go"),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.SessionTimeout(6 * time.Second),
		kgo.HeartbeatInterval(500 * time.Millisecond),
	}
	return kgo.NewClient(append(base, options...)...)
}

func main() {
	base, err := client()
	if err != nil {
		panic(err)
	}
	admin = kadm.NewClient(base)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		// A member answers "seen" while another request is running.
		go func() {
			result, err := serve(asked)
			answer := map[string]any{"id": asked.Id, "result": result}
			if err != nil {
				answer = map[string]any{"id": asked.Id, "error": err.Error()}
			}
			text, _ := json.Marshal(answer)
			lock.Lock()
			defer lock.Unlock()
			fmt.Println(string(text))
		}()
	}
}

func serve(asked request) (any, error) {
	switch asked.Do {
	case "about":
		return map[string]string{"version": version()}, nil
	case "create":
		configs := map[string]*string{}
		for name, value := range asked.Configs {
			configs[name] = &value
		}
		_, err := admin.CreateTopic(ctx, asked.Partitions, 1, configs, asked.Topic)
		return nil, err
	case "partitions":
		found, err := admin.ListTopics(ctx, asked.Topic)
		return len(found[asked.Topic].Partitions), err
	case "configs":
		found, err := admin.DescribeTopicConfigs(ctx, asked.Topic)
		if err != nil {
			return nil, err
		}
		configs := map[string]string{}
		for _, one := range found[0].Configs {
			configs[one.Key] = one.MaybeValue()
		}
		return configs, found[0].Err
	case "alter":
		var changes []kadm.AlterConfig
		for name, value := range asked.Configs {
			changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
		}
		answers, err := admin.AlterTopicConfigs(ctx, changes, asked.Topic)
		if err == nil {
			err = answers[0].Err
		}
		return nil, err
	case "grow":
		answers, err := admin.UpdatePartitions(ctx, int(asked.Partitions), asked.Topic)
		if err == nil {
			err = answers.Error()
		}
		return nil, err
	case "delete":
		_, err := admin.DeleteTopic(ctx, asked.Topic)
		return nil, err
	case "topics":
		found, err := admin.ListTopics(ctx)
		return found.Names(), err
	case "produce":
		return nil, produce(asked)
	case "read":
		return read(asked)
	case "offsetAt":
		found, err := admin.ListOffsetsAfterMilli(ctx, asked.Timestamp, asked.Topic)
		at, _ := found.Lookup(asked.Topic, asked.Partition)
		return at.Offset, errors.Join(err, at.Err)
	case "join":
		return nil, join(asked)
	case "seen":
		return joined.seen(), nil
	case "leave":
		joined.client.Close()
		return nil, nil
	case "begin":
		producer, err := client(kgo.TransactionalID(asked.TransactionalId))
		if err != nil {
			return nil, err
		}
		lock.Lock()
		made[asked.Producer] = producer
		lock.Unlock()
		_, _, err = producer.ProducerID(ctx)
		return nil, err
	case "transact":
		return nil, transact(asked)
	case "copy":
		return nil, copyAll(asked)
	}
	return nil, errors.New("no such command: " + asked.Do)
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/twmb/franz-go" {
			return module.Version
		}
	}
	return "unknown"
}

func produce(asked request) error {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	producer, err := client(
		kgo.ProducerBatchCompression(codecs[asked.Codec]),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(100*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer producer.Close()
	var records []*kgo.Record
	for _, one := range asked.Records {
		made := &kgo.Record{Topic: asked.Topic, Partition: one.Partition, Timestamp: time.UnixMilli(one.Timestamp)}
		if one.Key != nil {
			made.Key = []byte(*one.Key)
		}
		if one.Value != nil {
			made.Value = []byte(*one.Value)
		}
		for name, value := range one.Headers {
			made.Headers = append(made.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
		}
		records = append(records, made)
	}
	return producer.ProduceSync(ctx, records...).FirstErr()
}

func text(bytes []byte) *string {
	if bytes == nil {
		return nil
	}
	text := string(bytes)
	return &text
}

func read(asked request) ([]record, error) {
	offsets := map[int32]kgo.Offset{}
	for partition := range asked.Partitions {
		offsets[partition] = kgo.NewOffset().AtStart()
	}
	isolation := kgo.ReadUncommitted()
	if asked.Isolation == "read_committed" {
		isolation = kgo.ReadCommitted()
	}
	consumer, err := client(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{asked.Topic: offsets}),
		kgo.FetchIsolationLevel(isolation),
	)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	var found []record
	for len(found) < asked.Count {
		fetches := consumer.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return nil, errs[0].Err
		}
		fetches.EachRecord(func(one *kgo.Record) {
			headers := map[string]string{}
			for _, header := range one.Headers {
				headers[header.Key] = string(header.Value)
			}
			found = append(found, record{
				one.Partition, one.Offset, text(one.Key), text(one.Value), headers, one.Timestamp.UnixMilli(),
			})
		})
	}
	return found[:asked.Count], nil
}

func join(asked request) error {
	mine := &member{assigned: map[int32]bool{}}
	change := func(owned bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
			mine.lock.Lock()
			defer mine.lock.Unlock()
			for _, partition := range topics[asked.Topic] {
				mine.assigned[partition] = owned
			}
		}
	}
	consumer, err := client(
		kgo.ConsumerGroup(asked.Group),
		kgo.ConsumeTopics(asked.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(100*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)),
		kgo.OnPartitionsRevoked(change(false)),
		kgo.OnPartitionsLost(change(false)),
	)
	if err != nil {
		return err
	}
	mine.client = consumer
	joined = mine
	go func() {
		for {
			fetches := consumer.PollFetches(ctx)
			if fetches.IsClientClosed() {
				return
			}
			fetches.EachRecord(func(one *kgo.Record) {
				mine.lock.Lock()
				defer mine.lock.Unlock()
				mine.values = append(mine.values, string(one.Value))
			})
		}
	}()
	return nil
}

func (mine *member) seen() any {
	mine.lock.Lock()
	defer mine.lock.Unlock()
	assigned := []int32{}
	for partition, owned := range mine.assigned {
		if owned {
			assigned = append(assigned, partition)
		}
	}
	return map[string]any{"values": append([]string{}, mine.values...), "assigned": assigned}
}

func transact(asked request) error {
	lock.Lock()
	producer, isOpen := made[asked.Producer], open[asked.Producer]
	open[asked.Producer] = asked.End == "none"
	lock.Unlock()
	if !isOpen {
		if err := producer.BeginTransaction(); err != nil {
			return err
		}
	}
	for _, value := range asked.Values {
		sent := producer.ProduceSync(ctx, &kgo.Record{Topic: asked.Topic, Value: []byte(value)})
		if err := sent.FirstErr(); err != nil {
			return err
		}
	}
	switch asked.End {
	case "commit":
		return producer.EndTransaction(ctx, kgo.TryCommit)
	case "abort":
		return producer.EndTransaction(ctx, kgo.TryAbort)
	}
	return nil
}

func copyAll(asked request) error {
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(brokers...),
		kgo.TransactionalID(asked.TransactionalId),
		kgo.ConsumerGroup(asked.Group),
		kgo.ConsumeTopics(asked.From),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.RequireStableFetchOffsets(),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.Begin(); err != nil {
		return err
	}
	for copied := 0; copied < asked.Count; {
		fetches := session.PollFetches(ctx)
		var failed error
		fetches.EachRecord(func(one *kgo.Record) {
			upper := strings.ToUpper(string(one.Value))
			sent := session.ProduceSync(ctx, &kgo.Record{Topic: asked.To, Value: []byte(upper)})
			failed = errors.Join(failed, sent.FirstErr())
			copied++
		})
		if failed != nil {
			return failed
		}
	}
	committed, err := session.End(ctx, kgo.TransactionEndTry(asked.End == "commit"))
	if err == nil && committed != (asked.End == "commit") {
		err = fmt.Errorf("ended otherwise than asked: committed is %v", committed)
	}
	return err
}
