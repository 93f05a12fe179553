<?php
/* SPDX-License-Identifier: BSD-3-Clause
 * Debian's php-redis: the extension, and PHP's sessions on it. */

$port = (int)getenv('EBB_PORT');
$client = new Redis();
$client->connect('127.0.0.1', $port, 20);

function same($got, $wanted)
{
    if ($got !== $wanted)
        throw new Exception(var_export($got, true) . ' instead of ' .
                            var_export($wanted, true));
}

/* A session is what two requests share: each is closed before the next. */
function sessions($port, $locking)
{
    ini_set('session.save_handler', 'redis');
    ini_set('session.save_path', "tcp://127.0.0.1:$port?timeout=20");
    ini_set('session.use_cookies', '0');
    ini_set('session.cache_limiter', '');
    ini_set('redis.session.locking_enabled', $locking ? '1' : '0');
    session_id('s' . (int)$locking . bin2hex(random_bytes(8)));
    for ($visit = 1; $visit <= 3; $visit++) {
        session_start();
        $_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
        same($_SESSION['count'], $visit);
        session_write_close();
        $_SESSION = [];
    }
    session_start();
    session_destroy();
    session_start();
    same(isset($_SESSION['count']), false);
    session_write_close();
}

$features = [
    'strings, expiry, counters' => function () use ($client) {
        $client->flushAll();
        same($client->setex('k', 100, 'v'), true);
        same($client->get('k'), 'v');
        same($client->mGet(['k', 'none']), ['v', false]);
        same($client->incrBy('n', 5), 5);
    },
    'transactions' => function () use ($client) {
        same($client->multi()->set('m', '1')->incr('m')->exec(), [true, 2]);
    },
    'hashes' => function () use ($client) {
        $client->hMSet('h', ['a' => '1', 'b' => '2']);
        same($client->hGetAll('h'), ['a' => '1', 'b' => '2']);
    },
    'sessions' => fn () => sessions($port, false),
    '!scripts in Lua' => function () use ($client) {
        $client->clearLastError();
        same($client->eval('return 1'), 1);
    },
];

foreach ($features as $name => $works) {
    $why = '';
    try {
        $works();
    } catch (Throwable $error) {
        $why = $client->getLastError() ?: $error->getMessage();
    }
    fwrite(STDOUT, json_encode([
        'client' => 'phpredis (Debian)', 'version' => phpversion('redis'),
        'feature' => ltrim($name, '!'), 'works' => $why === '',
        'wanted' => $name[0] !== '!', 'why' => $why,
    ]) . "\n");
}
