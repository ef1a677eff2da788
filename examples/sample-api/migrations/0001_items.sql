-- Understood by PostgreSQL, PGlite, MySQL and MariaDB alike.
create table items (
  id char(36) primary key,
  name varchar(200) not null,
  description text,
  created_at timestamp(3) not null
);
